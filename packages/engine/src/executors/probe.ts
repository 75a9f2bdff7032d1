/**
 * What a backend is worth on this machine: how far its numbers are from the definition in float64, and how fast it
 * multiplies matrices, in float32 and in half precision where it has that. A second or two each; rough on purpose.
 */

import { f32, type Ops } from '../ops.ts';
import { plain, ReferenceOps } from '../reference/reference.ts';
import { normals } from '../sampling/random.ts';
import type { Compiled, Executor, HalfType, Program } from './types.ts';

export interface Rate {
  /** Of a product of two square matrices, 10^9 operations (2 n^3) a second. */
  readonly gigaflops: number;
  readonly n: number;
}

export interface Probe {
  /** Largest difference to float64 over the largest entry, of the operations of a layer. */
  readonly relativeError: number;
  readonly product: Rate;
  /** Absent where the backend has no such product. Error: of a product of 64 x 64; rounding to f16 alone makes 1e-3. */
  readonly half: Readonly<Partial<Record<HalfType, Rate & { readonly relativeError: number }>>>;
}

/** float32 rounds at 6e-8; what is beyond this is wrong. */
export const TOLERANCE = 1e-5;

export async function probe(executor: Executor): Promise<Probe> {
  const half: Partial<Record<HalfType, Rate & { readonly relativeError: number }>> = {};
  const relativeError = await layerError(executor);
  const product = await rate(executor);
  for (const type of ['f16', 'bf16'] as const) {
    const found = await halfError(executor, type);
    if (found === undefined) continue;
    const { gigaflops, n } = (await productRate(executor, type, product.n))!;
    half[type] = { gigaflops, n, relativeError: found };
  }
  return { relativeError, product, half };
}

/** Of one product of n x n and waiting for it; undefined where the backend does not compute in that type. */
export async function productRate(
  executor: Executor,
  type: 'f32' | HalfType,
  n: number,
): Promise<Rate | undefined> {
  if (type === 'f32') return timed(executor, n, await executor.compile(productProgram(n)));
  if ((await halfError(executor, type)) === undefined) return undefined;
  return timed(executor, n, await executor.compileHalfProduct!(type, n));
}

/** Relative error of a small product; undefined: there is none of that type, or it is float32 all the same. */
async function halfError(executor: Executor, type: HalfType): Promise<number | undefined> {
  const [a, b] = twoMatrices();
  const exact = new ReferenceOps().matmul(plain(a!, [SIDE, SIDE]), plain(b!, [SIDE, SIDE]));
  // Refused when compiled, or, by a device without the type, when run.
  const found = await smallProduct(executor, type, a!, b!).catch(() => undefined);
  const error = found && largest(found, exact.data);
  // As exact as float32: it was computed in that. Far off: it was not computed.
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
function twoMatrices() {
  return [1, 2].map((seed) => normals(seed, SIDE * SIDE));
}

function productProgram(n: number): Program {
  return {
    name: `product ${n}`,
    inputs: { a: f32(n, n), b: f32(n, n) },
    build: (ops, { a, b }) => {
      const y = ops.matmul(a!, b!);
      return { y, total: ops.sum(y, [0, 1], false) };
    },
  };
}

/** Larger and larger products until one takes long enough to be timed. */
async function rate(executor: Executor): Promise<Rate> {
  let found: Rate = { gigaflops: 0, n: 0 };
  for (const n of [128, 256, 512, 1024, 2048, 4096]) {
    found = (await productRate(executor, 'f32', n))!;
    if ((2 * n ** 3) / (found.gigaflops * 1e9) > 0.02) break;
  }
  return found;
}

/** The best of a few runs; reading the sum waits for the device. */
async function timed(executor: Executor, n: number, compiled: Compiled): Promise<Rate> {
  const [a, b, y] = executor.allocate([f32(n, n), f32(n, n), f32(n, n)]).parts;
  const total = executor.buffer(f32());
  const run = async () => {
    const began = performance.now();
    await compiled.run({ a: a!, b: b! }, { y: y!, total });
    await total.read();
    return performance.now() - began;
  };
  await run();
  const milliseconds = Math.min(await run(), await run(), await run());
  await compiled.dispose();
  for (const buffer of [a!, b!, y!]) buffer.dispose();
  return { gigaflops: (2 * n ** 3) / (milliseconds * 1e6), n };
}

/** x, w [64, 64] -> [64, 64]: the operations of a layer, one after the other. */
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
  const exact = layer(new ReferenceOps(), plain(x!, shape), plain(w!, shape));
  const program: Program = {
    name: 'layer',
    inputs: { x: f32(...shape), w: f32(...shape) },
    build: (ops, given) => ({ y: layer(ops, given.x!, given.w!) }),
  };
  const compiled = await executor.compile(program);
  const y = executor.buffer(f32(...shape));
  const inputs = { x: executor.buffer(f32(...shape), x), w: executor.buffer(f32(...shape), w) };
  await compiled.run(inputs, { y });
  const found = largest(await y.read(), exact.data);
  await compiled.dispose();
  return found;
}

/** Infinity where anything is not a number. */
function largest(found: ArrayLike<number>, exact: Float64Array): number {
  let [difference, scale] = [0, 0];
  for (const [i, value] of exact.entries()) {
    const off = Math.abs(found[i]! - value);
    difference = Number.isNaN(off) ? Infinity : Math.max(difference, off);
    scale = Math.max(scale, Math.abs(value));
  }
  return difference / scale;
}
