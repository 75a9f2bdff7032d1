/**
 * The tensor operations that a transformer with AdamW needs. Model, losses, optimizer and autodiff are written once
 * over this interface; an executor (onnx, tfjs) implements it.
 * Leaves out: dtypes other than float32 and int32, and dynamic shapes (every shape is known when a program is built).
 */

import { EngineError } from './errors.ts';

/** Element types of tensors. */
export type DType = 'f32' | 'i32';

/** Lengths of the axes of a tensor. */
export type Shape = readonly number[];

/** Element type and shape of a tensor. */
export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Options of {@link Ops.matmul}. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Factor of the product. */
  readonly alpha?: number;
}

/** `T` is the executor's tensor handle. Binary operations broadcast as NumPy does. */
export interface Ops<T> {
  spec(x: T): TensorSpec;
  constant(data: Float32Array | Int32Array, shape: Shape): T;

  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  minimum(a: T, b: T): T;
  maximum(a: T, b: T): T;
  /** 1 where a <= b, else 0, as f32. */
  lessEqual(a: T, b: T): T;

  /** Returns the result of `make`. Everything else that `make` computes may be freed at once. */
  scope(make: () => T[]): T[];
  /** Returns x, computed after all of `others`: sets the order if memory depends on it. */
  after(x: T, others: readonly T[]): T;
  /** Returns x and stops the gradient. */
  stopGradient(x: T): T;
  neg(x: T): T;
  exp(x: T): T;
  sqrt(x: T): T;
  abs(x: T): T;
  sigmoid(x: T): T;
  /** x * sigmoid(x) */
  silu(x: T): T;

  /** Sum over the axes. */
  sum(x: T, axes: readonly number[], keepDims: boolean): T;
  /** Maximum over all axes, []. No gradient. */
  maxAll(x: T): T;

  reshape(x: T, shape: Shape): T;
  transpose(x: T, order: readonly number[]): T;
  concat(xs: readonly T[], axis: number): T;
  /** Splits an axis into pieces of these lengths, which add up to the axis. */
  split(x: T, axis: number, lengths: readonly number[]): T[];
  /** Repeats along axes of length 1. */
  broadcastTo(x: T, shape: Shape): T;

  /** Batched over the leading axes, which broadcast. The gradient needs equal leading axes. */
  matmul(a: T, b: T, options?: MatmulOptions): T;
  /** Over the last axis. */
  softmax(x: T): T;
  /** Over the last axis. */
  logSoftmax(x: T): T;

  /** table [R, D], ids i32 [N] -> [N, D] */
  gatherRows(table: T, ids: T): T;
  /** x [N, D], ids i32 [N] -> [rows, D]: sums the rows with equal ids. */
  scatterRows(x: T, ids: T, rows: number): T;
  /** x [N, V], ids i32 [N] -> [N] */
  pickLast(x: T, ids: T): T;
  /** x [N], ids i32 [N] -> [N, width]: zero except at ids. */
  spreadLast(x: T, ids: T, width: number): T;

  /** y = x * inv * weight, inv = 1/sqrt(mean(x^2) + eps) over the last axis, inv [..., 1] without gradient. */
  rmsNorm(x: T, weight: T, eps: number): { readonly y: T; readonly inv: T };
  /**
   * Rotary position embedding, the two halves of a head rotated against each other (Hugging Face's layout).
   * x [N, heads*d], positions i32 [N], cos and sin [maxPositions, d/2].
   */
  rope(x: T, positions: T, cos: T, sin: T): T;
}

/**
 * The length of an axis; negative axes count from the end.
 * @throws EngineError `internal` if there is no such axis
 */
export function axisLength({ shape }: { readonly shape: Shape }, axis: number): number {
  const length = shape.at(axis);
  if (length === undefined) throw new EngineError('internal', `[${shape}] has no axis ${axis}`);
  return length;
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}

/**
 * The shape of two shapes broadcast as in NumPy.
 * @throws EngineError if they do not fit
 */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new EngineError('internal', `shapes [${a}] and [${b}] do not broadcast`);
    return Math.max(x, y) === 1 ? 1 : x === 1 ? y : x;
  });
}

/**
 * The shape of the product of {@link Ops.matmul}.
 * @throws EngineError if the inner lengths differ
 */
export function matmulShape(a: Shape, b: Shape, options: MatmulOptions = {}): number[] {
  const [m, ka] = options.transposeA ? [a.at(-1), a.at(-2)] : [a.at(-2), a.at(-1)];
  const [kb, n] = options.transposeB ? [b.at(-1), b.at(-2)] : [b.at(-2), b.at(-1)];
  if (ka !== kb || m === undefined || n === undefined)
    throw new EngineError('internal', `matmul of [${a}] and [${b}] (${JSON.stringify(options)})`);
  return [...broadcastShapes(a.slice(0, -2), b.slice(0, -2)), m, n];
}

/** The spec of a float32 tensor. */
export function f32(...shape: number[]): TensorSpec {
  return { dtype: 'f32', shape };
}

/** The spec of an int32 tensor. */
export function i32(...shape: number[]): TensorSpec {
  return { dtype: 'i32', shape };
}

/** {@link Ops.split} into a number of pieces that is known here. */
export function splitInto<T, const L extends readonly number[]>(
  ops: Ops<T>,
  x: T,
  axis: number,
  lengths: L,
): { -readonly [K in keyof L]: T } {
  return ops.split(x, axis, lengths) as { -readonly [K in keyof L]: T };
}

/** A constant of shape []. */
export function scalar<T>(ops: Ops<T>, value: number): T {
  return ops.constant(Float32Array.of(value), []);
}
