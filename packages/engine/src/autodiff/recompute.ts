/**
 * Gradient checkpointing (Chen et al. 2016): recomputes a function in the backward pass instead of storing its
 * intermediate tensors; and a loss over chunks of rows that computes the gradient of a chunk at once. Both give the
 * numbers of the plain tape; only memory and order differ.
 */

import { EngineError } from '../errors.ts';
import type { Ops } from '../ops.ts';
import { mapTensors, type Params, type Tensors } from '../tensors.ts';
import { type Pull, Tape, type Var } from './tape.ts';

/** A function that works on plain values and on variables; `N` are the tensors of `rest` with known names. */
export type Recomputable<N extends string> = <X>(ops: Ops<X>, x: X, rest: Tensors<N, X>) => X;

/**
 * f(x, rest) without storing what f computes in between: the backward pass computes it again. f must read tensors
 * through its arguments only. Source: Chen et al. 2016, "Training deep nets with sublinear memory cost".
 */
export function checkpointLayer<N extends string, T>(
  tape: Tape<T>,
  x: Var<T>,
  rest: Tensors<N, Var<T>>,
  f: Recomputable<N>,
): Var<T> {
  const ops = tape.inner;
  const plain = valuesOf<N, T>(rest);
  const value = scopeOne(ops, () => f(ops, x.value, plain));
  const again = (g: T): T[] => {
    const inner = new Tape(ops);
    const start = like(inner, x, ops.after(x.value, [g]));
    const vars = likeAll<N, T>(inner, rest);
    return inner.pullBack(f(inner, start, vars), g, trackedOf([start, ...tensorsOf(vars)]));
  };
  let known: { readonly of: T; readonly gradients: readonly T[] } | undefined;
  const gradientsFor = (g: T) => {
    if (known?.of !== g) known = { of: g, gradients: ops.scope(() => again(g)) };
    return known.gradients;
  };
  const wanted = trackedOf([x, ...tensorsOf(rest)]);
  const pulls = wanted.map((input, i): Pull<T> => [input, (g) => gradientsFor(g)[i]!]);
  return tape.operation(value, pulls);
}

/** A loss, [], and metrics by row; `M` are the names of the metrics. */
export interface RowLoss<M extends string, V> {
  readonly loss: V;
  readonly rows: Tensors<M, V>;
}

/** The inputs of a loss over rows; `R` and `S` are the known names of `rows` and `shared`. */
export interface RowsOfLoss<R extends string, S extends string, V> {
  /** [N, ...] */
  readonly x: V;
  /** [N, ...] each; they have no gradient. */
  readonly rows: Tensors<R, V>;
  /** Inputs that every chunk reads. */
  readonly shared: Tensors<S, V>;
  /** Rows of each chunk; they add up to N. */
  readonly lengths: readonly number[];
}

/** The loss of some rows; works on plain values and on variables. */
export type LossOfRows<R extends string, S extends string, M extends string> = <X>(
  ops: Ops<X>,
  x: X,
  rows: Tensors<R, X>,
  shared: Tensors<S, X>,
) => RowLoss<M, X>;

/**
 * A loss summed over chunks of rows. The gradient of a chunk is computed before the next chunk begins, so that the
 * intermediate tensors of only one chunk exist at a time. The loss may only be differentiated as it is, or as a term of
 * a sum.
 */
export function lossOverRows<R extends string, S extends string, M extends string, T>(
  tape: Tape<T>,
  { x, rows, shared, lengths }: RowsOfLoss<R, S, Var<T>>,
  f: LossOfRows<R, S, M>,
): RowLoss<M, Var<T>> {
  const ops = tape.inner;
  const whole = { x: x.value, rows: valuesOf<R, T>(rows), lengths };
  const total = inTurn<R, M, T>(ops, whole, (part, own) => {
    const inner = new Tape(ops);
    const start = like(inner, x, part);
    const vars = likeAll<S, T>(inner, shared);
    const fixed = mapTensors<R, T, Var<T>>(own, (y) => inner.fixed(y));
    const found = f(inner, start, fixed, vars);
    const gradients = inner.gradients(found.loss, trackedOf([start, ...tensorsOf(vars)]));
    const ofX = x.tracked ? gradients.splice(0, 1) : [];
    const measured = valuesOf<M, T>(found.rows);
    return { loss: found.loss.value, sums: gradients, rows: measured, others: ofX };
  });
  const pulls = [
    ...total.others.map((gradient): Pull<T> => [x, () => gradient]),
    ...trackedOf(tensorsOf(shared)).map((y, i): Pull<T> => [y, () => total.sums[i]!]),
  ];
  return {
    loss: tape.operation(total.loss, pulls),
    rows: mapTensors<M, T, Var<T>>(total.rows, (value) => tape.fixed(value)),
  };
}

/** As {@link lossOverRows}, on plain values and without a gradient. */
export function measureOverRows<R extends string, S extends string, M extends string, T>(
  ops: Ops<T>,
  { shared, ...whole }: RowsOfLoss<R, S, T>,
  f: LossOfRows<R, S, M>,
): RowLoss<M, T> {
  const { loss, rows } = inTurn<R, M, T>(ops, whole, (x, own) => {
    const found = f(ops, x, own, shared);
    return { loss: found.loss, sums: [], rows: found.rows, others: [] };
  });
  return { loss, rows };
}

/** The loss of a chunk, or of all chunks, and what was computed with it. */
interface Piece<M extends string, T> {
  /** Summed over the chunks. */
  readonly loss: T;
  /** Summed over the chunks. */
  readonly sums: readonly T[];
  /** Concatenated over the chunks, by rows. */
  readonly rows: Tensors<M, T>;
  /** Concatenated over the chunks, by rows. */
  readonly others: readonly T[];
}

/** Runs chunks one after another. */
function inTurn<R extends string, M extends string, T>(
  ops: Ops<T>,
  { x, rows, lengths }: Omit<RowsOfLoss<R, never, T>, 'shared'>,
  run: (x: T, rows: Tensors<R, T>) => Piece<M, T>,
): Piece<M, T> {
  const cut = (y: T) => (lengths.length === 1 ? [y] : ops.split(y, 0, lengths));
  const own = mapTensors<R, T, T[]>(rows, cut);
  const columns: T[][] = [];
  let names: string[] = [];
  let sums: T[] = [];
  let done: T[] = [];
  for (const [i, part] of cut(x).entries()) {
    let added: T[] = [];
    done = ops.scope(() => {
      const found = run(
        ops.after(part, done),
        mapTensors<R, T[], T>(own, (parts) => parts[i]!),
      );
      names = Object.keys(found.rows);
      added = [found.loss, ...found.sums].map((y, n) => (i === 0 ? y : ops.add(sums[n]!, y)));
      return [...added, ...tensorsOf(found.rows), ...found.others];
    });
    sums = done.slice(0, added.length);
    for (const [n, tensor] of done.slice(added.length).entries()) {
      columns[n] ??= [];
      columns[n].push(tensor);
    }
  }
  const joined = columns.map((parts) => (parts.length > 1 ? ops.concat(parts, 0) : parts[0]!));
  const [loss, ...others] = sums;
  if (loss === undefined) throw new EngineError('internal', 'a loss over no rows');
  return {
    loss,
    sums: others,
    rows: Object.fromEntries(names.map((name, n) => [name, joined[n]])) as Tensors<M, T>,
    others: joined.slice(names.length),
  };
}

/** The one result of `make`; everything else that it computes may be freed. */
function scopeOne<T>(ops: Ops<T>, make: () => T): T {
  return (ops.scope(() => [make()]) as [T])[0];
}

/** A value that is tracked if `other` is. */
function like<T>(tape: Tape<T>, other: Var<T>, value: T): Var<T> {
  return other.tracked ? tape.variable(value) : tape.fixed(value);
}

/** Variables of another tape, as variables of this one. */
function likeAll<N extends string, T>(tape: Tape<T>, vars: Tensors<N, Var<T>>): Tensors<N, Var<T>> {
  return mapTensors<N, Var<T>, Var<T>>(vars, (y) => like(tape, y, y.value));
}

function valuesOf<N extends string, T>(vars: Tensors<N, Var<T>>): Tensors<N, T> {
  return mapTensors<N, Var<T>, T>(vars, ({ value }) => value);
}

function trackedOf<T>(vars: readonly Var<T>[]): Var<T>[] {
  return vars.filter((v) => v.tracked);
}

/** The tensors without their names, in their order. */
function tensorsOf<T>(tensors: Params<T>): T[] {
  return Object.values(tensors);
}
