/**
 * WebGPU in Node: Dawn from the package `webgpu`, presented to @tensorflow/tfjs-backend-webgpu like a browser's. The
 * user installs both (Dawn is 130 MB). tfjs ignores errors of the device, whose results are then garbage; {@link Watch}
 * checks them.
 */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { EngineError } from '../../errors.ts';
import { installCommand, resolveOptional } from '../optional.ts';
import type { Tf } from './types.ts';

/**
 * Runs `work` and waits until the device has validated it.
 * @throws the error of the device
 */
export type Watch = (work: () => void) => Promise<void>;

/** The parts of WebGPU's interfaces that are used here. */
interface Device {
  pushErrorScope(filter: ErrorFilter): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
}
interface Adapter {
  readonly info: Readonly<Record<'vendor' | 'architecture' | 'device' | 'description', string>>;
}
interface Gpu {
  requestAdapter(): Promise<Adapter | null>;
}
interface DawnModule {
  create(options: readonly string[]): Gpu;
  readonly globals: Readonly<Record<string, unknown>>;
}

type ErrorFilter = 'validation' | 'out-of-memory' | 'internal';
const FILTERS: readonly ErrorFilter[] = ['validation', 'out-of-memory', 'internal'];

export interface Dawn {
  /** Human-readable name of the device. */
  readonly adapter: string;
  watch(tf: Tf): Watch;
  /** Removes what only starting the backend needed. */
  finish(): void;
}

const PACKAGES = ['webgpu', '@tensorflow/tfjs-backend-webgpu'] as const;

/** One instance per process; releasing it ends its devices. */
let gpu: Gpu | undefined;

/** @throws EngineError `unavailable` naming the missing packages, or that there is no driver */
export async function startDawn(): Promise<Dawn> {
  const [dawnPath, backendPath] = PACKAGES.map(resolveOptional);
  const missing = PACKAGES.filter((_, i) => [dawnPath, backendPath][i] === undefined);
  if (!dawnPath || !backendPath)
    throw new EngineError(
      'unavailable',
      `not installed: ${missing.join(', ')}; install with: ${installCommand('webgpu')}`,
    );
  gpu ??= await provideGpu(dawnPath);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new EngineError('unavailable', 'Dawn finds no Vulkan, Metal or D3D12 driver');
  const finish = pretendToBeAWorker();
  createRequire(import.meta.url)(backendPath);
  return { adapter: adapterName(adapter), watch: watchOf, finish };
}

/** Provides `navigator.gpu` and WebGPU's constants, as in a browser. */
async function provideGpu(path: string): Promise<Gpu> {
  const dawn: DawnModule = await import(pathToFileURL(path).href);
  Object.assign(globalThis, dawn.globals);
  const created = dawn.create([]);
  Object.defineProperty(globalThis.navigator, 'gpu', { value: created, configurable: true });
  return created;
}

/**
 * tfjs registers the backend in windows and workers only. The marker is removed again, so that other code does not take
 * this process for a worker.
 */
function pretendToBeAWorker(): () => void {
  if ('WorkerGlobalScope' in globalThis) return () => {};
  Object.assign(globalThis, { WorkerGlobalScope: class {} });
  return () => {
    Reflect.deleteProperty(globalThis, 'WorkerGlobalScope');
  };
}

function adapterName({ info }: Adapter): string {
  return (
    info.description || info.device || [info.vendor, info.architecture].filter(Boolean).join(' ')
  );
}

function watchOf(tf: Tf): Watch {
  const backend: object = tf.backend();
  if (!('device' in backend)) throw new EngineError('internal', 'tfjs webgpu shows no device');
  const device = backend.device as Device;
  return async (work) => {
    for (const filter of FILTERS) device.pushErrorScope(filter);
    let verdicts: Promise<{ readonly message: string } | null>[];
    try {
      work();
    } finally {
      verdicts = FILTERS.map(() => device.popErrorScope());
    }
    const error = (await Promise.all(verdicts)).find((found) => found !== null);
    if (error) throw new EngineError('internal', `WebGPU: ${error.message}`);
  };
}
