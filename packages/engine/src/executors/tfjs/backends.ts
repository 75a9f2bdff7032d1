/**
 * Finds TensorFlow.js and its backends: `tensorflow` needs @tensorflow/tfjs-node or -node-gpu, `webgpu` a driver and
 * the packages of dawn.ts, `wasm` @tensorflow/tfjs-backend-wasm, `cpu` nothing else.
 */

import { createRequire } from 'node:module';
import util from 'node:util';
import { errorMessage } from '@cipo/support';
import { EngineError } from '../../errors.ts';
import { backendAdvice } from '../advice.ts';
import { installCommand, requireOptional, resolveOptional } from '../optional.ts';
import { startDawn, type Watch } from './dawn.ts';
import type { Tf } from './types.ts';

const TFJS_BACKENDS = ['tensorflow', 'webgpu', 'wasm', 'cpu'] as const;
export type TfjsBackend = (typeof TFJS_BACKENDS)[number];

/** Backends tried by default. webgpu must be requested: with a software driver it is slower than wasm. */
const BY_ITSELF: readonly TfjsBackend[] = ['tensorflow', 'wasm', 'cpu'];

const NATIVE_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

export interface BackendFinding {
  readonly backend: TfjsBackend;
  /** Library and version, or why the backend cannot be used. */
  readonly detail: string;
  readonly tf?: Tf;
  /** For webgpu: runs work and throws the errors of the device. */
  readonly watch?: Watch;
}

/** tfjs has one current backend and starts one at a time; further requests wait here. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * Loads a backend and makes it the current one of tfjs. Never throws: on failure `detail` has the reason and `tf` is
 * absent.
 */
export function findBackend(backend: TfjsBackend): Promise<BackendFinding> {
  const found = turn.then(() => withoutNewListeners(() => tryBackend(backend)));
  turn = found;
  return found;
}

async function tryBackend(backend: TfjsBackend): Promise<BackendFinding> {
  try {
    if (backend === 'tensorflow') return await findNative();
    return backend === 'webgpu' ? await findWebGpu() : await findBundled(backend);
  } catch (error) {
    return { backend, detail: firstLineOf(error) };
  }
}

/** Removes the handlers for uncaught errors that the wasm loader of tfjs installs in the process. */
async function withoutNewListeners<R>(work: () => Promise<R>): Promise<R> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set(process.rawListeners(event)));
  const result = await work();
  for (const [i, event] of events.entries())
    for (const listener of process.rawListeners(event))
      if (!before[i]!.has(listener)) process.removeListener(event, toHandler(listener));
  return result;
}

function toHandler(listener: { readonly length: number }) {
  return listener as (...args: unknown[]) => void;
}

/**
 * The wanted backend, or the first of the defaults that works.
 * @throws EngineError `unavailable` with every reason if none works
 */
export async function chooseBackend(wanted?: string): Promise<BackendFinding & { tf: Tf }> {
  const known =
    wanted === undefined ? BY_ITSELF : TFJS_BACKENDS.filter((backend) => backend === wanted);
  if (known.length === 0)
    throw new EngineError(
      'config',
      `tfjs backend "${wanted}" is not one of ${TFJS_BACKENDS.join(', ')}`,
    );
  checkPackages(wanted);
  const reasons: string[] = [];
  for (const backend of known) {
    const { tf, ...found } = await findBackend(backend);
    if (tf) return { ...found, tf };
    const advice = backendAdvice('tfjs', backend);
    reasons.push(`tfjs ${backend} is not available: ${found.detail}${advice ? `; ${advice}` : ''}`);
  }
  throw new EngineError('unavailable', reasons.join('\n'));
}

/** @throws EngineError if TensorFlow.js itself is missing, with one command for all that the backend needs */
function checkPackages(backend = 'wasm'): void {
  if (resolveOptional('@tensorflow/tfjs') !== undefined) return;
  const packages = { webgpu: 'webgpu', tensorflow: '@tensorflow/tfjs-node' } as const;
  const needed =
    backend === 'webgpu' || backend === 'tensorflow'
      ? packages[backend]
      : '@tensorflow/tfjs-backend-wasm';
  throw new EngineError(
    'unavailable',
    `executor tfjs: the package @tensorflow/tfjs is not installed; install it with: ${installCommand(needed)}`,
  );
}

async function findBundled(backend: 'wasm' | 'cpu'): Promise<BackendFinding> {
  const tf = union();
  if (backend === 'wasm') requireOptional('@tensorflow/tfjs-backend-wasm');
  return use(tf, backend, `@tensorflow/tfjs ${tf.version_core} ${backend}`);
}

/** All of TensorFlow.js: its parts alone lack gradients and kernels. PROD suppresses its advice on the terminal. */
function union(): Tf {
  const tf: Tf = requireOptional('@tensorflow/tfjs');
  tf.env().set('PROD', true);
  return tf;
}

async function findWebGpu(): Promise<BackendFinding> {
  const tf = union();
  const { adapter, watch, finish } = await startDawn();
  try {
    const found = await use(tf, 'webgpu', `@tensorflow/tfjs-backend-webgpu on ${adapter}`);
    return found.tf ? { ...found, watch: watch(tf) } : found;
  } finally {
    finish();
  }
}

async function findNative(): Promise<BackendFinding> {
  const reasons: string[] = [];
  for (const name of NATIVE_PACKAGES) {
    const path = resolveOptional(name);
    if (path === undefined) {
      reasons.push(
        `the package ${name} is not installed; install it with: ${installCommand(name)}`,
      );
      continue;
    }
    try {
      shimRemovedUtilities();
      process.env.TF_CPP_MIN_LOG_LEVEL ??= '1'; // hides TensorFlow's messages about the processor
      union(); // the package has its own copy; loading this one first avoids a warning per kernel
      const tf: Tf = createRequire(import.meta.url)(path);
      return await use(tf, 'tensorflow', `${name} ${tf.version_core}`);
    } catch (error) {
      reasons.push(`${name} does not load: ${firstLineOf(error)}`);
    }
  }
  return { backend: 'tensorflow', detail: reasons.join('; ') };
}

async function use(tf: Tf, backend: TfjsBackend, detail: string): Promise<BackendFinding> {
  if (!(await tf.setBackend(backend)))
    return { backend, detail: `${detail}: backend did not start` };
  await tf.ready();
  return { backend, detail, tf };
}

/** tfjs-node 4.22 calls a function that Node 23 removed. */
function shimRemovedUtilities(): void {
  if (!('isNullOrUndefined' in util))
    Object.assign(util, { isNullOrUndefined: (x: unknown) => x === null || x === undefined });
}

function firstLineOf(error: unknown): string {
  return errorMessage(error).split('\n', 1).join();
}
