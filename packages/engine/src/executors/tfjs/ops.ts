/**
 * {@link Ops} on TensorFlow.js, eagerly. Replaces kernels that some backends lack: gradients of gathers and picks by
 * one-hot matrices, fused operations by their parts.
 */

import type * as TensorFlow from '@tensorflow/tfjs';
import {
  axisLength,
  broadcastShapes,
  type MatmulOptions,
  type Ops,
  type Shape,
  type TensorSpec,
} from '../../ops.ts';
import type { Tf } from './types.ts';

type Tensor = TensorFlow.Tensor;

/**
 * Maximum floats of a one-hot matrix held at once, 64 MB: for the tokens of a batch and a large vocabulary it would be
 * much more.
 */
const MOST_ONE_HOT = 2 ** 24;

export interface TfjsOpsOptions {
  /** Transpose before multiplying: XNNPACK, which the wasm backend calls, only accepts plain products. */
  readonly plainProducts: boolean;
}

/** {@link Ops} on tensors of TensorFlow.js. */
export class TfjsOps implements Ops<Tensor> {
  readonly #tf: Tf;
  readonly #plainProducts: boolean;

  constructor(tf: Tf, { plainProducts }: TfjsOpsOptions) {
    this.#tf = tf;
    this.#plainProducts = plainProducts;
  }

  spec(x: Tensor): TensorSpec {
    return { dtype: x.dtype === 'float32' ? 'f32' : 'i32', shape: x.shape };
  }
  constant(data: Float32Array | Int32Array, shape: Shape): Tensor {
    return this.#tf.tensor(data, [...shape], data instanceof Float32Array ? 'float32' : 'int32');
  }

  add(a: Tensor, b: Tensor): Tensor {
    return this.#tf.add(a, b);
  }
  sub(a: Tensor, b: Tensor): Tensor {
    return this.#tf.sub(a, b);
  }
  mul(a: Tensor, b: Tensor): Tensor {
    return this.#tf.mul(a, b);
  }
  div(a: Tensor, b: Tensor): Tensor {
    return this.#tf.div(a, b);
  }
  minimum(a: Tensor, b: Tensor): Tensor {
    return this.#tf.minimum(a, b);
  }
  maximum(a: Tensor, b: Tensor): Tensor {
    return this.#tf.maximum(a, b);
  }
  lessEqual(a: Tensor, b: Tensor): Tensor {
    return this.#tf.cast(this.#tf.lessEqual(a, b), 'float32');
  }

  scope(make: () => Tensor[]): Tensor[] {
    return this.#tf.tidy(make);
  }
  /** Operations run in the order of the calls. */
  after(x: Tensor): Tensor {
    return x;
  }
  stopGradient(x: Tensor): Tensor {
    return x;
  }
  neg(x: Tensor): Tensor {
    return this.#tf.neg(x);
  }
  exp(x: Tensor): Tensor {
    return this.#tf.exp(x);
  }
  sqrt(x: Tensor): Tensor {
    return this.#tf.sqrt(x);
  }
  abs(x: Tensor): Tensor {
    return this.#tf.abs(x);
  }
  sigmoid(x: Tensor): Tensor {
    return this.#tf.sigmoid(x);
  }
  silu(x: Tensor): Tensor {
    return this.#tf.mul(x, this.#tf.sigmoid(x));
  }

  sum(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
    return axes.length === 0 ? x : this.#tf.sum(x, [...axes], keepDims);
  }
  maxAll(x: Tensor): Tensor {
    return this.#tf.max(x);
  }

  reshape(x: Tensor, shape: Shape): Tensor {
    return this.#tf.reshape(x, [...shape]);
  }
  transpose(x: Tensor, order: readonly number[]): Tensor {
    return this.#tf.transpose(x, [...order]);
  }
  concat(xs: readonly Tensor[], axis: number): Tensor {
    return this.#tf.concat([...xs], axis);
  }
  split(x: Tensor, axis: number, lengths: readonly number[]): Tensor[] {
    return this.#tf.split(x, [...lengths], axis);
  }
  /** Merges adjacent axes that all repeat or all stay: webgpu repeats tensors of up to four axes only. */
  broadcastTo(x: Tensor, shape: Shape): Tensor {
    const from = [...shape.slice(x.shape.length).map(() => 1), ...x.shape];
    const [small, large]: [number[], number[]] = [[], []];
    for (const [axis, n] of shape.entries()) {
      const repeats = from[axis] !== n;
      if (axis > 0 && repeats === (from[axis - 1] !== shape[axis - 1])) {
        small.push(small.pop()! * from[axis]!);
        large.push(large.pop()! * n);
      } else {
        small.push(from[axis]!);
        large.push(n);
      }
    }
    const repeated = this.#tf.broadcastTo(this.#tf.reshape(x, small), large);
    return this.#tf.reshape(repeated, [...shape]);
  }

  matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
    const { transposeA = false, transposeB = false, alpha = 1 } = options;
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const flip = (x: Tensor, on: boolean) => (on && this.#plainProducts ? this.#swapLast(x) : x);
    const left = this.#withBatch(flip(a, transposeA), batch);
    const right = this.#withBatch(flip(b, transposeB), batch);
    const product = this.#plainProducts
      ? this.#tf.matMul(left, right)
      : this.#tf.matMul(left, right, transposeA, transposeB);
    return alpha === 1 ? product : this.#tf.mul(product, alpha);
  }
  softmax(x: Tensor): Tensor {
    return this.#tf.softmax(x);
  }
  logSoftmax(x: Tensor): Tensor {
    return this.#tf.logSoftmax(x);
  }

  gatherRows(table: Tensor, ids: Tensor): Tensor {
    return this.#tf.gather(table, this.#tf.cast(ids, 'int32'));
  }
  scatterRows(x: Tensor, ids: Tensor, rows: number): Tensor {
    const [count, width] = [axisLength(x, 0), axisLength(x, 1)];
    const most = Math.max(1, Math.floor(MOST_ONE_HOT / rows));
    let sum: Tensor | undefined;
    for (let from = 0; from < count; from += most) {
      const before = sum;
      sum = this.#tf.tidy(() => {
        const size = Math.min(most, count - from);
        const some = this.#oneHot(this.#tf.slice(ids, [from], [size]), rows);
        const part = this.#tf.slice(x, [from, 0], [size, width]);
        const product = this.matmul(some, part, { transposeA: true });
        return before ? this.#tf.add(before, product) : product;
      });
      before?.dispose();
    }
    return sum ?? this.#tf.zeros([rows, width]);
  }
  pickLast(x: Tensor, ids: Tensor): Tensor {
    return this.#tf.sum(this.#tf.mul(x, this.#oneHot(ids, axisLength(x, -1))), -1);
  }
  spreadLast(x: Tensor, ids: Tensor, width: number): Tensor {
    return this.#tf.mul(this.#oneHot(ids, width), this.#tf.reshape(x, [-1, 1]));
  }

  rmsNorm(x: Tensor, weight: Tensor, eps: number): { y: Tensor; inv: Tensor } {
    const tf = this.#tf;
    const inv = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), eps));
    return { y: tf.mul(tf.mul(x, inv), weight), inv };
  }
  rope(x: Tensor, positions: Tensor, cos: Tensor, sin: Tensor): Tensor {
    const tf = this.#tf;
    const [n, half] = [axisLength(x, 0), axisLength(cos, 1)];
    const tableRows = (table: Tensor) =>
      tf.reshape(this.gatherRows(table, positions), [n, 1, half]);
    const [c, s] = [tableRows(cos), tableRows(sin)];
    const byHead = tf.reshape(x, [n, -1, 2 * half]);
    const [a, b] = tf.split(byHead, 2, 2) as [Tensor, Tensor];
    const first = tf.sub(tf.mul(a, c), tf.mul(b, s));
    const second = tf.add(tf.mul(b, c), tf.mul(a, s));
    return tf.reshape(tf.concat([first, second], 2), x.shape);
  }

  #oneHot(ids: Tensor, width: number): Tensor {
    return this.#tf.cast(this.#tf.oneHot(this.#tf.cast(ids, 'int32'), width), 'float32');
  }
  #swapLast(x: Tensor): Tensor {
    const axes = [...x.shape.keys()];
    const last = axes.length - 1;
    return this.#tf.transpose(x, [...axes.slice(0, -2), last, last - 1]);
  }
  /** Kernels of tfjs take the batch index modulo the shorter batch, which is right only if whole axes repeat. */
  #withBatch(x: Tensor, batch: Shape): Tensor {
    const shape = [...batch, ...x.shape.slice(-2)];
    return shape.join() === x.shape.join() ? x : this.broadcastTo(x, shape);
  }
}
