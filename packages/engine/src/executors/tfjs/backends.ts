/**
 * Finds TensorFlow.js and its backends: `tensorflow` where the user has installed @tensorflow/tfjs-node or
 * -node-gpu, `webgpu` where a driver and the two packages of dawn.ts are, `wasm` and `cpu` with this package.
 */

import { createRequire } from 'node:module';
import util from 'node:util';
import { errorMessage } from '@cipo/support';
import { EngineError } from '../../errors.ts';
import { backendAdvice } from '../advice.ts';
import { installCommand, requireOptional, resolveOptional } from '../optional.ts';
import { startDawn, type Watch } from './dawn.ts';
import type { Tf } from './types.ts';

export const TFJS_BACKENDS = ['tensorflow', 'webgpu', 'wasm', 'cpu'] as const;
export type TfjsBackend = (typeof TFJS_BACKENDS)[number];

/** What is taken where nobody says: webgpu only by name, for a driver in software is slower than wasm. */
const BY_ITSELF: readonly TfjsBackend[] = ['tensorflow', 'wasm', 'cpu'];

const NATIVE_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

export interface BackendFinding {
  readonly backend: TfjsBackend;
  /** What is there, or why it cannot be used. */
  readonly detail: string;
  readonly tf?: Tf;
  /** Of webgpu: runs work and throws what the device found wrong with it. */
  readonly watch?: Watch;
}

/** tfjs has one current backend and starts one at a time: whoever asks meanwhile waits. */
let turn: Promise<unknown> = Promise.resolve();

/** Loads a backend and makes it tfjs's current one. Never throws: what is wrong is in `detail`, and `tf` absent. */
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

/** tfjs's wasm loader installs handlers for the process's uncaught errors; they are not its business. */
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

/** The backend asked for, or the first of the list that works. @throws with every reason where none does. */
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

/** All of TensorFlow.js, its parts alone lack gradients and kernels; as PROD it keeps its advice off the terminal. */
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
      process.env.TF_CPP_MIN_LOG_LEVEL ??= '1'; // TensorFlow's remarks about the processor
      union(); // the package brings its own copy, whose kernels would each be announced as registered twice
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
