/**
 * Reverse-mode automatic differentiation over {@link Ops}. A Tape is itself an Ops: code written over Ops runs on it
 * unchanged and then has gradients. Each operation states its vector-Jacobian product in the inner Ops, so the backward
 * pass runs on the executor of the forward pass.
 * Leaves out: second derivatives; gradients of lessEqual and maxAll, which are only used for metrics.
 */

import { EngineError } from '../errors.ts';
import {
  axisLength,
  type MatmulOptions,
  type Ops,
  type Shape,
  scalar,
  type TensorSpec,
} from '../ops.ts';

/** A value on the tape. */
export interface Var<T> {
  readonly value: T;
  /** Whether its gradient, or that of a value it was computed from, is needed. */
  readonly tracked: boolean;
}

/** Maps the gradient of an operation's output to the gradient of one of its inputs. */
export type Pull<T> = readonly [input: Var<T>, pull: (gradient: T) => T];

/**
 * A recorded operation: maps the gradients of its outputs to those of its inputs. A gradient is undefined if nothing
 * depends on that output.
 */
interface Entry<T> {
  readonly outputs: readonly Var<T>[];
  readonly pulls: readonly (readonly [Var<T>, (gradients: readonly (T | undefined)[]) => T])[];
}

/** Records operations and computes gradients; itself an {@link Ops} on variables. */
export class Tape<T> implements Ops<Var<T>> {
  /** The operations that compute the values. */
  readonly inner: Ops<T>;
  readonly #ops: Ops<T>;
  readonly #entries: Entry<T>[] = [];

  constructor(ops: Ops<T>) {
    this.inner = ops;
    this.#ops = ops;
  }

  /** A value whose gradient is needed. */
  variable(value: T): Var<T> {
    return { value, tracked: true };
  }
  /** A constant. */
  fixed(value: T): Var<T> {
    return { value, tracked: false };
  }

  /**
   * Gradients of a scalar with respect to variables, each with the shape of its variable.
   * @throws EngineError if the scalar does not depend on a variable: a weight that nothing uses is a mistake in the
   * model
   */
  gradients(loss: Var<T>, variables: readonly Var<T>[]): T[] {
    return this.pullBack(loss, scalar(this.#ops, 1), variables);
  }

  /** As {@link gradients}, for a tensor whose own gradient is given. */
  pullBack(output: Var<T>, gradient: T, variables: readonly Var<T>[]): T[] {
    const gradients = new Map<Var<T>, T>([[output, gradient]]);
    for (const { outputs, pulls } of this.#entries.toReversed()) {
      const known = outputs.map((output) => gradients.get(output));
      if (known.every((gradient) => gradient === undefined)) continue;
      for (const [input, pull] of pulls) {
        const part = pull(known);
        const before = gradients.get(input);
        gradients.set(input, before === undefined ? part : this.#ops.add(before, part));
      }
    }
    return variables.map((variable) => {
      const gradient = gradients.get(variable);
      if (gradient === undefined)
        throw new EngineError('internal', 'the loss does not depend on a variable');
      return gradient;
    });
  }

  spec(x: Var<T>): TensorSpec {
    return this.#ops.spec(x.value);
  }
  constant(data: Float32Array | Int32Array, shape: Shape): Var<T> {
    return this.fixed(this.#ops.constant(data, shape));
  }

  add(a: Var<T>, b: Var<T>): Var<T> {
    const value = this.#ops.add(a.value, b.value);
    return this.operation(value, [
      [a, (g) => this.#like(g, a)],
      [b, (g) => this.#like(g, b)],
    ]);
  }
  sub(a: Var<T>, b: Var<T>): Var<T> {
    const value = this.#ops.sub(a.value, b.value);
    return this.operation(value, [
      [a, (g) => this.#like(g, a)],
      [b, (g) => this.#like(this.#ops.neg(g), b)],
    ]);
  }
  mul(a: Var<T>, b: Var<T>): Var<T> {
    const value = this.#ops.mul(a.value, b.value);
    return this.operation(value, [
      [a, (g) => this.#like(this.#ops.mul(g, b.value), a)],
      [b, (g) => this.#like(this.#ops.mul(g, a.value), b)],
    ]);
  }
  div(a: Var<T>, b: Var<T>): Var<T> {
    const ops = this.#ops;
    const value = ops.div(a.value, b.value);
    return this.operation(value, [
      [a, (g) => this.#like(ops.div(g, b.value), a)],
      [b, (g) => this.#like(ops.neg(ops.mul(g, ops.div(value, b.value))), b)],
    ]);
  }
  /** At a tie the gradient goes to `a`. */
  minimum(a: Var<T>, b: Var<T>): Var<T> {
    return this.#choose(this.#ops.minimum(a.value, b.value), a, b, [a, b]);
  }
  /** At a tie the gradient goes to `a`. */
  maximum(a: Var<T>, b: Var<T>): Var<T> {
    return this.#choose(this.#ops.maximum(a.value, b.value), a, b, [b, a]);
  }
  lessEqual(a: Var<T>, b: Var<T>): Var<T> {
    return this.fixed(this.#ops.lessEqual(a.value, b.value));
  }

  /** Keeps everything: the backward pass may need it. */
  scope(make: () => Var<T>[]): Var<T>[] {
    return make();
  }
  /** Only x has a gradient. */
  after(x: Var<T>, others: readonly Var<T>[]): Var<T> {
    const value = this.#ops.after(
      x.value,
      others.map((other) => other.value),
    );
    return this.operation(value, [[x, (g) => g]]);
  }
  stopGradient(x: Var<T>): Var<T> {
    return this.fixed(x.value);
  }
  neg(x: Var<T>): Var<T> {
    return this.operation(this.#ops.neg(x.value), [[x, (g) => this.#ops.neg(g)]]);
  }
  exp(x: Var<T>): Var<T> {
    const value = this.#ops.exp(x.value);
    return this.operation(value, [[x, (g) => this.#ops.mul(g, value)]]);
  }
  sqrt(x: Var<T>): Var<T> {
    const ops = this.#ops;
    const value = ops.sqrt(x.value);
    return this.operation(value, [[x, (g) => ops.div(ops.mul(g, scalar(ops, 0.5)), value)]]);
  }
  /** The gradient at 0 is 1. */
  abs(x: Var<T>): Var<T> {
    const ops = this.#ops;
    const sign = () => {
      const isPositive = ops.lessEqual(scalar(ops, 0), x.value);
      return ops.sub(ops.mul(isPositive, scalar(ops, 2)), scalar(ops, 1));
    };
    return this.operation(ops.abs(x.value), [[x, (g) => ops.mul(g, sign())]]);
  }
  sigmoid(x: Var<T>): Var<T> {
    const ops = this.#ops;
    const s = ops.sigmoid(x.value);
    return this.operation(s, [[x, (g) => ops.mul(g, ops.sub(s, ops.mul(s, s)))]]);
  }
  /** d silu = s + y (1 - s) = s + y - y s, with s = sigmoid(x), y = x s. */
  silu(x: Var<T>): Var<T> {
    const ops = this.#ops;
    const y = ops.silu(x.value);
    const pull = (g: T) => {
      const s = ops.sigmoid(x.value);
      return ops.mul(g, ops.add(s, ops.sub(y, ops.mul(y, s))));
    };
    return this.operation(y, [[x, pull]]);
  }

  sum(x: Var<T>, axes: readonly number[], keepDims: boolean): Var<T> {
    const ops = this.#ops;
    const { shape } = this.spec(x);
    const drop = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
    const kept = shape.map((n, i) => (drop.includes(i) ? 1 : n));
    const pull = (g: T) => ops.broadcastTo(ops.reshape(g, kept), shape);
    return this.operation(ops.sum(x.value, axes, keepDims), [[x, pull]]);
  }
  maxAll(x: Var<T>): Var<T> {
    return this.fixed(this.#ops.maxAll(x.value));
  }

  reshape(x: Var<T>, shape: Shape): Var<T> {
    const before = this.spec(x).shape;
    const value = this.#ops.reshape(x.value, shape);
    return this.operation(value, [[x, (g) => this.#ops.reshape(g, before)]]);
  }
  transpose(x: Var<T>, order: readonly number[]): Var<T> {
    const back = order.map((_, axis) => order.indexOf(axis));
    const value = this.#ops.transpose(x.value, order);
    return this.operation(value, [[x, (g) => this.#ops.transpose(g, back)]]);
  }
  concat(xs: readonly Var<T>[], axis: number): Var<T> {
    const lengths = xs.map((x) => axisLength(this.spec(x), axis));
    let parts: { readonly of: T; readonly pieces: readonly T[] } | undefined;
    const pulls = xs.map((x, i): Pull<T> => {
      const pull = (g: T) => {
        if (parts?.of !== g) parts = { of: g, pieces: this.#ops.split(g, axis, lengths) };
        return parts.pieces[i]!;
      };
      return [x, pull];
    });
    const values = xs.map((x) => x.value);
    return this.operation(this.#ops.concat(values, axis), pulls);
  }
  split(x: Var<T>, axis: number, lengths: readonly number[]): Var<T>[] {
    const values = this.#ops.split(x.value, axis, lengths);
    if (!x.tracked) return values.map((value) => this.fixed(value));
    const outputs = values.map((value) => this.variable(value));
    const pull = (gradients: readonly (T | undefined)[]) => {
      const parts = gradients.map((g, i) => g ?? this.#zeros(this.spec(outputs[i]!).shape));
      return this.#ops.concat(parts, axis);
    };
    this.#entries.push({ outputs, pulls: [[x, pull]] });
    return outputs;
  }
  broadcastTo(x: Var<T>, shape: Shape): Var<T> {
    const value = this.#ops.broadcastTo(x.value, shape);
    return this.operation(value, [[x, (g) => this.#like(g, x)]]);
  }

  matmul(a: Var<T>, b: Var<T>, options: MatmulOptions = {}): Var<T> {
    const ops = this.#ops;
    const batch = (x: Var<T>) => this.spec(x).shape.slice(0, -2).join();
    if ((a.tracked || b.tracked) && batch(a) !== batch(b))
      throw new EngineError(
        'internal',
        'matmul has a gradient only where the leading axes are equal',
      );
    const { transposeA: ta = false, transposeB: tb = false, alpha = 1 } = options;
    const product = (x: T, y: T, transposeA: boolean, transposeB: boolean) =>
      ops.matmul(x, y, { transposeA, transposeB, alpha });
    return this.operation(ops.matmul(a.value, b.value, options), [
      [a, (g) => (ta ? product(b.value, g, tb, true) : product(g, b.value, false, !tb))],
      [b, (g) => (tb ? product(g, a.value, true, ta) : product(a.value, g, !ta, false))],
    ]);
  }
  softmax(x: Var<T>): Var<T> {
    const ops = this.#ops;
    const p = ops.softmax(x.value);
    const pull = (g: T) => {
      const gp = ops.mul(g, p);
      return ops.sub(gp, ops.mul(p, ops.sum(gp, [-1], true)));
    };
    return this.operation(p, [[x, pull]]);
  }
  logSoftmax(x: Var<T>): Var<T> {
    const ops = this.#ops;
    const y = ops.logSoftmax(x.value);
    const pull = (g: T) => ops.sub(g, ops.mul(ops.exp(y), ops.sum(g, [-1], true)));
    return this.operation(y, [[x, pull]]);
  }

  gatherRows(table: Var<T>, ids: Var<T>): Var<T> {
    const rows = axisLength(this.spec(table), 0);
    const value = this.#ops.gatherRows(table.value, ids.value);
    return this.operation(value, [[table, (g) => this.#ops.scatterRows(g, ids.value, rows)]]);
  }
  scatterRows(x: Var<T>, ids: Var<T>, rows: number): Var<T> {
    const value = this.#ops.scatterRows(x.value, ids.value, rows);
    return this.operation(value, [[x, (g) => this.#ops.gatherRows(g, ids.value)]]);
  }
  pickLast(x: Var<T>, ids: Var<T>): Var<T> {
    const width = axisLength(this.spec(x), -1);
    const value = this.#ops.pickLast(x.value, ids.value);
    return this.operation(value, [[x, (g) => this.#ops.spreadLast(g, ids.value, width)]]);
  }
  spreadLast(x: Var<T>, ids: Var<T>, width: number): Var<T> {
    const value = this.#ops.spreadLast(x.value, ids.value, width);
    return this.operation(value, [[x, (g) => this.#ops.pickLast(g, ids.value)]]);
  }

  /** With n = x inv: dx = inv (g w - n mean(g w n)), dw = sum of g n over the rows. */
  rmsNorm(x: Var<T>, weight: Var<T>, eps: number): { y: Var<T>; inv: Var<T> } {
    const ops = this.#ops;
    const { shape } = this.spec(x);
    const [width, rows] = [axisLength({ shape }, -1), shape.slice(0, -1)];
    const { y, inv } = ops.rmsNorm(x.value, weight.value, eps);
    const normal = once(() => ops.mul(x.value, inv));
    const pullX = (g: T) => {
      const gw = ops.mul(g, weight.value);
      const sum = ops.sum(ops.mul(gw, normal()), [-1], true);
      const mean = ops.mul(sum, scalar(ops, 1 / width));
      return ops.mul(ops.sub(gw, ops.mul(normal(), mean)), inv);
    };
    const pullWeight = (g: T) => ops.sum(ops.mul(g, normal()), [...rows.keys()], false);
    const pulls: Pull<T>[] = [
      [x, pullX],
      [weight, pullWeight],
    ];
    return { y: this.operation(y, pulls), inv: this.fixed(inv) };
  }
  /** A rotation's transpose is the rotation back. */
  rope(x: Var<T>, positions: Var<T>, cos: Var<T>, sin: Var<T>): Var<T> {
    const ops = this.#ops;
    const value = ops.rope(x.value, positions.value, cos.value, sin.value);
    const pull = (g: T) => ops.rope(g, positions.value, cos.value, ops.neg(sin.value));
    return this.operation(value, [[x, pull]]);
  }
  /** A value with custom gradients: `backward` maps the gradient of the value to those of its inputs. */
  operation(value: T, pulls: readonly Pull<T>[]): Var<T> {
    const wanted = pulls.filter(([input]) => input.tracked);
    const output = { value, tracked: wanted.length > 0 };
    const entry = wanted.map(
      ([input, pull]) => [input, ([g]: readonly (T | undefined)[]) => pull(g!)] as const,
    );
    if (output.tracked) this.#entries.push({ outputs: [output], pulls: entry });
    return output;
  }

  /** For min and max: the gradient goes to `a` if low <= high, else to `b`. */
  #choose(value: T, a: Var<T>, b: Var<T>, [low, high]: readonly [Var<T>, Var<T>]): Var<T> {
    const ops = this.#ops;
    const toA = once(() => ops.lessEqual(low.value, high.value));
    return this.operation(value, [
      [a, (g) => this.#like(ops.mul(g, toA()), a)],
      [b, (g) => this.#like(ops.sub(g, ops.mul(g, toA())), b)],
    ]);
  }

  /** Sums a gradient over the axes along which its input was broadcast. */
  #like(gradient: T, input: Var<T>): T {
    const from = this.#ops.spec(gradient).shape;
    const { shape } = this.spec(input);
    const extra = from.length - shape.length;
    const axes = from.flatMap((n, i) =>
      i < extra || (shape[i - extra] === 1 && n !== 1) ? [i] : [],
    );
    if (axes.length > 0) return this.#ops.reshape(this.#ops.sum(gradient, axes, true), shape);
    return gradient;
  }

  #zeros(shape: Shape): T {
    const one = this.#ops.constant(
      Float32Array.of(0),
      shape.map(() => 1),
    );
    return this.#ops.broadcastTo(one, shape);
  }
}

function once<R>(make: () => R): () => R {
  let made: { readonly value: R } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
