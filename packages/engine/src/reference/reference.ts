/**
 * {@link Ops} by definition, in float64 with plain loops: executors and the tape are compared with it. Slow on purpose;
 * only tests and the probe of a backend use it.
 */

import { EngineError } from '../errors.ts';
import {
  axisLength,
  broadcastShapes,
  type MatmulOptions,
  matmulShape,
  type Ops,
  type Shape,
  sizeOf,
  type TensorSpec,
} from '../ops.ts';

/** A tensor in float64. */
export interface Plain {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export function plain(data: ArrayLike<number>, shape: Shape): Plain {
  return {
    shape,
    data: Float64Array.from(data),
  };
}

/** Row-major strides, 0 for axes of length 1, aligned to `rank` axes. */
function strides(shape: Shape, rank = shape.length): number[] {
  const out = new Array<number>(rank).fill(0);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    out[rank - shape.length + i] = shape[i] === 1 ? 0 : step;
    step *= shape[i]!;
  }
  return out;
}

/** The multi-index of a flat index. */
function unravel(at: number, shape: Shape): number[] {
  const index = new Array<number>(shape.length);
  let rest = at;
  for (let i = shape.length - 1; i >= 0; i--) {
    index[i] = rest % shape[i]!;
    rest = Math.floor(rest / shape[i]!);
  }
  return index;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

/** A tensor whose elements are a function of their index. */
function generate(shape: Shape, f: (index: number[]) => number): Plain {
  return {
    shape,
    data: Float64Array.from({ length: sizeOf(shape) }, (_, at) => f(unravel(at, shape))),
  };
}

function at(x: Plain, index: readonly number[]): number {
  return x.data[dot(strides(x.shape, index.length), index)]!;
}

/** {@link Ops} in float64. */
export class ReferenceOps implements Ops<Plain> {
  spec(x: Plain): TensorSpec {
    return { dtype: 'f32', shape: x.shape };
  }
  constant(data: Float32Array | Int32Array, shape: Shape): Plain {
    return plain(data, shape);
  }

  add = binary((a, b) => a + b);
  sub = binary((a, b) => a - b);
  mul = binary((a, b) => a * b);
  div = binary((a, b) => a / b);
  minimum = binary(Math.min);
  maximum = binary(Math.max);
  lessEqual = binary((a, b) => (a <= b ? 1 : 0));
  scope(make: () => Plain[]): Plain[] {
    return make();
  }
  after(x: Plain): Plain {
    return x;
  }
  stopGradient = unary((x) => x);
  neg = unary((x) => -x);
  exp = unary(Math.exp);
  sqrt = unary(Math.sqrt);
  abs = unary(Math.abs);
  sigmoid = unary((x) => 1 / (1 + Math.exp(-x)));
  silu = unary((x) => x / (1 + Math.exp(-x)));

  sum(x: Plain, axes: readonly number[], keepDims: boolean): Plain {
    const drop = axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
    const kept = x.shape.map((n, i) => (drop.includes(i) ? 1 : n));
    const data = new Float64Array(sizeOf(kept));
    const steps = strides(kept);
    for (const [i, value] of x.data.entries()) data[dot(steps, unravel(i, x.shape))]! += value;
    return { shape: keepDims ? kept : kept.filter((_, i) => !drop.includes(i)), data };
  }
  maxAll(x: Plain): Plain {
    return plain([x.data.reduce((a, b) => Math.max(a, b), -Infinity)], []);
  }

  reshape(x: Plain, shape: Shape): Plain {
    if (sizeOf(shape) !== x.data.length)
      throw new EngineError('internal', `[${x.shape}] as [${shape}]`);
    return { shape, data: x.data };
  }
  transpose(x: Plain, order: readonly number[]): Plain {
    const shape = order.map((axis) => axisLength(x, axis));
    return generate(shape, (index) =>
      at(
        x,
        order.map((_, axis) => index[order.indexOf(axis)]!),
      ),
    );
  }
  concat(xs: readonly Plain[], axis: number): Plain {
    const total = xs.reduce((n, x) => n + axisLength(x, axis), 0);
    return generate(xs[0]!.shape.with(axis, total), (index) => {
      let place = index[axis]!;
      let i = 0;
      while (place >= xs[i]!.shape[axis]!) place -= xs[i++]!.shape[axis]!;
      return at(xs[i]!, index.with(axis, place));
    });
  }
  split(x: Plain, axis: number, lengths: readonly number[]): Plain[] {
    return lengths.map((length, i) => {
      const start = lengths.slice(0, i).reduce((sum, n) => sum + n, 0);
      return generate(x.shape.with(axis, length), (index) =>
        at(x, index.with(axis, index[axis]! + start)),
      );
    });
  }
  broadcastTo(x: Plain, shape: Shape): Plain {
    return generate(shape, (index) => at(x, index));
  }

  matmul(a: Plain, b: Plain, options: MatmulOptions = {}): Plain {
    const shape = matmulShape(a.shape, b.shape, options);
    const [m, n] = [shape.at(-2)!, shape.at(-1)!];
    const inner = a.shape.at(options.transposeA ? -2 : -1)!;
    const [aRow, aInner] = options.transposeA ? [1, m] : [inner, 1];
    const [bInner, bColumn] = options.transposeB ? [1, inner] : [n, 1];
    const lead = shape.slice(0, -2);
    const starts = [a, b].map((x) => strides(x.shape.slice(0, -2), lead.length));
    const data = new Float64Array(sizeOf(shape));
    for (let batch = 0; batch < sizeOf(lead); batch++) {
      const index = unravel(batch, lead);
      const [aStart, bStart] = [
        dot(starts[0]!, index) * m * inner,
        dot(starts[1]!, index) * n * inner,
      ];
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let k = 0; k < inner; k++)
            sum +=
              a.data[aStart + i * aRow + k * aInner]! * b.data[bStart + k * bInner + j * bColumn]!;
          data[(batch * m + i) * n + j] = sum * (options.alpha ?? 1);
        }
    }
    return { shape, data };
  }
  softmax(x: Plain): Plain {
    return this.exp(this.logSoftmax(x));
  }
  logSoftmax(x: Plain): Plain {
    const top = this.maxAll(x);
    const shifted = this.sub(x, top);
    const total = this.sum(this.exp(shifted), [-1], true);
    return this.sub(shifted, { shape: total.shape, data: total.data.map(Math.log) });
  }

  gatherRows(table: Plain, ids: Plain): Plain {
    return generate([ids.data.length, axisLength(table, 1)], ([i, j]) =>
      at(table, [ids.data[i!]!, j!]),
    );
  }
  scatterRows(x: Plain, ids: Plain, rows: number): Plain {
    const width = axisLength(x, 1);
    const data = new Float64Array(rows * width);
    for (const [i, value] of x.data.entries())
      data[ids.data[Math.floor(i / width)]! * width + (i % width)]! += value;
    return { shape: [rows, width], data };
  }
  pickLast(x: Plain, ids: Plain): Plain {
    return generate(ids.shape, ([i]) => at(x, [i!, ids.data[i!]!]));
  }
  spreadLast(x: Plain, ids: Plain, width: number): Plain {
    return generate([x.data.length, width], ([i, j]) => (ids.data[i!] === j ? x.data[i!]! : 0));
  }

  rmsNorm(x: Plain, weight: Plain, eps: number): { y: Plain; inv: Plain } {
    const squares = this.sum(this.mul(x, x), [-1], true);
    const width = axisLength(x, -1);
    const inv = { ...squares, data: squares.data.map((s) => 1 / Math.sqrt(s / width + eps)) };
    return { y: this.mul(this.mul(x, inv), weight), inv };
  }
  rope(x: Plain, positions: Plain, cos: Plain, sin: Plain): Plain {
    const half = axisLength(cos, 1);
    return generate(x.shape, ([row, column]) => {
      const p = positions.data[row!]!;
      const within = column! % (2 * half);
      const first = within < half;
      const pair = within % half;
      const other = at(x, [row!, column! + (first ? half : -half)]);
      const turned = (first ? -1 : 1) * other * at(sin, [p, pair]);
      return at(x, [row!, column!]) * at(cos, [p, pair]) + turned;
    });
  }
}

function unary(f: (x: number) => number) {
  return (x: Plain): Plain => ({ shape: x.shape, data: x.data.map(f) });
}

function binary(f: (a: number, b: number) => number) {
  return (a: Plain, b: Plain): Plain =>
    a.shape.join() === b.shape.join()
      ? { shape: a.shape, data: a.data.map((x, i) => f(x, b.data[i]!)) }
      : generate(broadcastShapes(a.shape, b.shape), (index) => f(at(a, index), at(b, index)));
}
