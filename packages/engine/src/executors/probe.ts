/**
 * Measures a backend on this machine: the difference of its numbers to float64, and the speed of matrix products in
 * float32 and, if available, in half precision. Takes one or two seconds per backend; approximate on purpose.
 */

import { EngineError } from '../errors.ts';
import { f32, type Ops } from '../ops.ts';
import { plain, ReferenceOps } from '../reference/reference.ts';
import { normals } from '../sampling/random.ts';
import type { Compiled, Executor, HalfType, Program } from './types.ts';

/** Speed of one product. */
export interface Rate {
  /** Speed of a product of two n x n matrices, in 10^9 operations (2 n^3) per second. */
  readonly gigaflops: number;
  readonly n: number;
}

/** Accuracy and speed of a backend. */
export interface Probe {
  /** Maximum difference to float64 over the maximum entry, for the operations of a layer. */
  readonly relativeError: number;
  readonly product: Rate;
  /**
   * Absent if the backend has no such product. The error is that of a 64 x 64 product; rounding to f16 alone makes
   * 1e-3.
   */
  readonly half: Readonly<Partial<Record<HalfType, Rate & { readonly relativeError: number }>>>;
}

/** float32 rounds at 6e-8; larger differences are errors. */
export const TOLERANCE = 1e-5;

/** Measures accuracy and speed of an executor; takes one or two seconds. */
export async function probe(executor: Executor): Promise<Probe> {
  const half: Partial<Record<HalfType, Rate & { readonly relativeError: number }>> = {};
  const relativeError = await layerError(executor);
  const product = await rate(executor);
  for (const type of ['f16', 'bf16'] as const) {
    const found = await halfError(executor, type);
    if (found === undefined) continue;
    const measured = await productRate(executor, type, product.n);
    if (measured) half[type] = { ...measured, relativeError: found };
  }
  return { relativeError, product, half };
}

/** Speed of one n x n product, including waiting for it; undefined if the backend does not compute in that type. */
export async function productRate(
  executor: Executor,
  type: 'f32' | HalfType,
  n: number,
): Promise<Rate | undefined> {
  if (type === 'f32') return timeProduct(executor, n, await executor.compile(productProgram(n)));
  if ((await halfError(executor, type)) === undefined) return undefined;
  return timeProduct(executor, n, await executor.compileHalfProduct!(type, n));
}

/** Relative error of a small product; undefined if the backend lacks the type or computes in float32 anyway. */
async function halfError(executor: Executor, type: HalfType): Promise<number | undefined> {
  const [a, b] = twoMatrices();
  const exact = new ReferenceOps().matmul(plain(a, [SIDE, SIDE]), plain(b, [SIDE, SIDE]));
  // Refused when compiled, or when run, by a device without the type.
  const found = await smallProduct(executor, type, a, b).catch(() => undefined);
  const error = found && largest(found, exact.data);
  // As exact as float32: computed in float32. Far off: not computed.
  return error === undefined || error < TOLERANCE || error > 0.1 ? undefined : error;
}

async function smallProduct(executor: Executor, type: HalfType, a: Float32Array, b: Float32Array) {
  const compiled = await executor.compileHalfProduct?.(type, SIDE);
  const square = f32(SIDE, SIDE);
  const y = executor.buffer(square);
  const inputs = { a: executor.buffer(square, a), b: executor.buffer(square, b) };
  await compiled?.run(inputs, { y, total: executor.buffer(f32()) });
  await compiled?.dispose();
  return compiled && y.read();
}

const SIDE = 64;
function twoMatrices(): [Float32Array, Float32Array] {
  return [normals(1, SIDE * SIDE), normals(2, SIDE * SIDE)];
}

function productProgram(n: number): Program<'a' | 'b'> {
  return {
    name: `product ${n}`,
    inputs: { a: f32(n, n), b: f32(n, n) },
    build: (ops, { a, b }) => {
      const y = ops.matmul(a, b);
      return { y, total: ops.sum(y, [0, 1], false) };
    },
  };
}

/** Products of increasing size, until one takes long enough to be timed. */
async function rate(executor: Executor): Promise<Rate> {
  let found: Rate = { gigaflops: 0, n: 0 };
  for (const n of [128, 256, 512, 1024, 2048, 4096]) {
    found = await timeProduct(executor, n, await executor.compile(productProgram(n)));
    if ((2 * n ** 3) / (found.gigaflops * 1e9) > 0.02) break;
  }
  return found;
}

/** The best of a few runs; reading the sum waits for the device. */
async function timeProduct(executor: Executor, n: number, compiled: Compiled): Promise<Rate> {
  const { parts } = executor.allocate([f32(n, n), f32(n, n), f32(n, n)]);
  const [a, b, y] = parts;
  if (!a || !b || !y) throw new EngineError('internal', 'fewer tensors allocated than specified');
  const total = executor.buffer(f32());
  const run = async () => {
    const began = performance.now();
    await compiled.run({ a, b }, { y, total });
    await total.read();
    return performance.now() - began;
  };
  await run();
  const milliseconds = Math.min(await run(), await run(), await run());
  await compiled.dispose();
  for (const buffer of parts) buffer.dispose();
  return { gigaflops: (2 * n ** 3) / (milliseconds * 1e6), n };
}

/** x, w [64, 64] -> [64, 64]: the operations of a layer in sequence. */
function layer<T>(ops: Ops<T>, x: T, w: T): T {
  const gain = ops.constant(new Float32Array(SIDE).fill(1.5), [SIDE]);
  const { y } = ops.rmsNorm(x, gain, 1e-5);
  const scores = ops.matmul(y, w, { transposeB: true, alpha: 0.125 });
  const mixed = ops.matmul(ops.softmax(scores), ops.silu(y), { transposeA: true });
  return ops.logSoftmax(ops.add(mixed, x));
}

async function layerError(executor: Executor): Promise<number> {
  const shape = [SIDE, SIDE] as const;
  const [x, w] = twoMatrices();
  const exact = layer(new ReferenceOps(), plain(x, shape), plain(w, shape));
  const program: Program<'x' | 'w'> = {
    name: 'layer',
    inputs: { x: f32(...shape), w: f32(...shape) },
    build: (ops, given) => ({ y: layer(ops, given.x, given.w) }),
  };
  const compiled = await executor.compile(program);
  const y = executor.buffer(f32(...shape));
  const inputs = { x: executor.buffer(f32(...shape), x), w: executor.buffer(f32(...shape), w) };
  await compiled.run(inputs, { y });
  const found = largest(await y.read(), exact.data);
  await compiled.dispose();
  return found;
}

/** Relative maximum difference; Infinity if anything is NaN. */
function largest(found: ArrayLike<number>, exact: Float64Array): number {
  let [difference, scale] = [0, 0];
  for (const [i, value] of exact.entries()) {
    const off = Math.abs(found[i]! - value);
    difference = Number.isNaN(off) ? Infinity : Math.max(difference, off);
    scale = Math.max(scale, Math.abs(value));
  }
  return difference / scale;
}
