/**
 * Gradient checkpointing (Chen et al. 2016): recomputes a function in the backward pass instead of storing its
 * intermediate tensors; and a loss over chunks of rows that computes the gradient of a chunk at once. Both give the
 * numbers of the plain tape; only memory and order differ.
 */

import type { Ops } from '../ops.ts';
import { type Pull, Tape, type Var } from './tape.ts';

type Values<T> = Readonly<Record<string, T>>;
type Vars<T> = Values<Var<T>>;

/** A function that works on plain values and on variables. */
export type Recomputable = <X>(ops: Ops<X>, x: X, rest: Values<X>) => X;

/**
 * f(x, rest) without storing what f computes in between: the backward pass computes it again. f must read tensors
 * through its arguments only. Source: Chen et al. 2016, "Training deep nets with sublinear memory cost".
 */
export function checkpointLayer<T>(
  tape: Tape<T>,
  x: Var<T>,
  rest: Vars<T>,
  f: Recomputable,
): Var<T> {
  const ops = tape.inner;
  const plain = mapValues(rest, ({ value }) => value);
  const [value] = ops.scope(() => [f(ops, x.value, plain)]);
  const again = (g: T): T[] => {
    const inner = new Tape(ops);
    const start = like(inner, x, ops.after(x.value, [g]));
    const vars = mapValues(rest, (y) => like(inner, y, y.value));
    return inner.pullBack(f(inner, start, vars), g, trackedOf([start, ...Object.values(vars)]));
  };
  let known: { readonly of: T; readonly gradients: readonly T[] } | undefined;
  const gradientsFor = (g: T) => {
    if (known?.of !== g) known = { of: g, gradients: ops.scope(() => again(g)) };
    return known.gradients;
  };
  const wanted = trackedOf([x, ...Object.values(rest)]);
  const pulls = wanted.map((input, i): Pull<T> => [input, (g) => gradientsFor(g)[i]!]);
  return tape.operation(value!, pulls);
}

/** A loss, [], and metrics by row. */
export interface RowLoss<V> {
  readonly loss: V;
  readonly rows: Values<V>;
}

/** The inputs of a loss over rows. */
export interface RowsOfLoss<V> {
  /** [N, ...] */
  readonly x: V;
  /** [N, ...] each; they have no gradient. */
  readonly rows: Values<V>;
  /** Inputs that every chunk reads. */
  readonly shared: Values<V>;
  /** Rows of each chunk; they add up to N. */
  readonly lengths: readonly number[];
}

/** The loss of some rows; works on plain values and on variables. */
export type LossOfRows = <X>(ops: Ops<X>, x: X, rows: Values<X>, shared: Values<X>) => RowLoss<X>;

/**
 * A loss summed over chunks of rows. The gradient of a chunk is computed before the next chunk begins, so that the
 * intermediate tensors of only one chunk exist at a time. The loss may only be differentiated as it is, or as a term of
 * a sum.
 */
export function lossOverRows<T>(
  tape: Tape<T>,
  { x, rows, shared, lengths }: RowsOfLoss<Var<T>>,
  f: LossOfRows,
): RowLoss<Var<T>> {
  const ops = tape.inner;
  const values = mapValues(rows, ({ value }) => value);
  const { sums, kept } = inTurn(ops, { x: x.value, rows: values, lengths }, (part, own) => {
    const inner = new Tape(ops);
    const start = like(inner, x, part);
    const vars = mapValues(shared, (y) => like(inner, y, y.value));
    const fixed = mapValues(own, (y) => inner.fixed(y));
    const found = f(inner, start, fixed, vars);
    const wanted = trackedOf([start, ...Object.values(vars)]);
    const gradients = inner.gradients(found.loss, wanted);
    const measured = mapValues(found.rows, ({ value }) => value);
    return x.tracked
      ? {
          sums: [found.loss.value, ...gradients.slice(1)],
          kept: { ...measured, [OF_X]: gradients[0]! },
        }
      : { sums: [found.loss.value, ...gradients], kept: measured };
  });
  const [loss, ...ofShared] = sums;
  const { [OF_X]: gradient, ...measured } = kept;
  const pulls = [
    ...(gradient === undefined ? [] : [[x, () => gradient] as const]),
    ...trackedOf(Object.values(shared)).map((y, i): Pull<T> => [y, () => ofShared[i]!]),
  ];
  return {
    loss: tape.operation(loss!, pulls),
    rows: mapValues(measured, (value) => tape.fixed(value)),
  };
}

/** As {@link lossOverRows}, on plain values and without a gradient. */
export function measureOverRows<T>(
  ops: Ops<T>,
  { shared, ...whole }: RowsOfLoss<T>,
  f: LossOfRows,
): RowLoss<T> {
  const { sums, kept } = inTurn(ops, whole, (x, rows) => {
    const found = f(ops, x, rows, shared);
    return { sums: [found.loss], kept: found.rows };
  });
  return { loss: sums[0]!, rows: kept };
}

const OF_X = 'gradient of x';

interface Piece<T> {
  /** Summed over the chunks. */
  readonly sums: readonly T[];
  /** Concatenated over the chunks, by rows. */
  readonly kept: Values<T>;
}

/** Concatenates chunks. */
function inTurn<T>(
  ops: Ops<T>,
  { x, rows, lengths }: Omit<RowsOfLoss<T>, 'shared'>,
  run: (x: T, rows: Values<T>) => Piece<T>,
): Piece<T> {
  const cut = (y: T) => (lengths.length === 1 ? [y] : ops.split(y, 0, lengths));
  const own = mapValues(rows, cut);
  const kept: Record<string, T[]> = {};
  let sums: readonly T[] = [];
  let done: T[] = [];
  for (const [i, part] of cut(x).entries()) {
    let names: string[] = [];
    done = ops.scope(() => {
      const found = run(
        ops.after(part, done),
        mapValues(own, (parts) => parts[i]!),
      );
      names = Object.keys(found.kept);
      const added = found.sums.map((y, n) => (i === 0 ? y : ops.add(sums[n]!, y)));
      return [...added, ...Object.values(found.kept)];
    });
    sums = done.slice(0, done.length - names.length);
    for (const [n, name] of names.entries()) {
      kept[name] ??= [];
      kept[name].push(done[sums.length + n]!);
    }
  }
  const join = (parts: readonly T[]) => (parts.length === 1 ? parts[0]! : ops.concat(parts, 0));
  return { sums, kept: mapValues(kept, join) };
}

/** A value that is tracked if `other` is. */
function like<T>(tape: Tape<T>, other: Var<T>, value: T): Var<T> {
  return other.tracked ? tape.variable(value) : tape.fixed(value);
}

function trackedOf<T>(vars: readonly Var<T>[]): Var<T>[] {
  return vars.filter((v) => v.tracked);
}

function mapValues<A, B>(values: Values<A>, f: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, f(value)]));
}
