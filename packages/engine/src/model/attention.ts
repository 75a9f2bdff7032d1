/**
 * Causal attention for training, in which sequences that share a prefix (the rollouts of one prompt) hold it once. A
 * batch is B groups of P prefix rows, then B x G branches of C rows; branch rows attend to the prefix of their group
 * and to their own branch. P = 0 and G = 1 is the ordinary batch of B sequences. Rows are ordered [prefixes: B, P],
 * then [branches: B, G, C]. Padding is at the end of prefixes and branches.
 */

import { axisLength, type Ops, scalar, splitInto } from '../ops.ts';
import { headSize, type ModelConfig } from './config.ts';
import type { Attention } from './llama.ts';

/** The shape of a batch. */
export interface Layout {
  /** B */
  readonly groups: number;
  /** P, rows of a prefix; 0 if nothing is shared. */
  readonly prefix: number;
  /** G, branches of a group. */
  readonly branches: number;
  /** C, rows of a branch. */
  readonly length: number;
}

export function prefixRows({ groups, prefix }: Layout): number {
  return groups * prefix;
}
export function branchRows({ groups, branches, length }: Layout): number {
  return groups * branches * length;
}
export function totalRows(layout: Layout): number {
  return prefixRows(layout) + branchRows(layout);
}

/** The inputs of the attention of a batch. */
export interface AttentionInputs<T> {
  /** i32 [N] */
  readonly positions: T;
  /** [maxPositions, d/2] */
  readonly cos: T;
  readonly sin: T;
  /** [B, P]: 0 for a prefix token, -1e9 for padding. Absent if P = 0. */
  readonly prefixMask?: T;
}

/** Added to a masked score: far below any score, but finite so that no row becomes NaN. */
export const MASKED = -1e9;

/** What a batch is computed with: the operations, the configuration of the model and the shape of the batch. */
export interface BatchContext<T> {
  readonly ops: Ops<T>;
  readonly config: ModelConfig;
  readonly layout: Layout;
}

/**
 * The {@link Attention} of a layout. Unless `keepPrefix`, prefix rows are dropped in the last layer: nothing reads
 * them.
 */
export function groupedAttention<T>(
  batch: BatchContext<T>,
  inputs: AttentionInputs<T>,
  keepPrefix = false,
): Attention<T> {
  const { ops, config, layout } = batch;
  const last = keepPrefix ? undefined : config.num_hidden_layers - 1;
  const shared = prefixRows(layout);
  const own = branchRows(layout);
  const rope = (x: T) => ops.rope(x, inputs.positions, inputs.cos, inputs.sin);
  const cut = (x: T) => splitInto(ops, x, 0, [shared, own]);
  return {
    keep: (layer, x) => (shared && layer === last ? cut(x)[1] : x),
    attend: (layer, q, k, v) => {
      const rows = { q: rope(q), k: rope(k), v };
      const { prefixMask } = inputs;
      if (!shared || !prefixMask) return attendBranches(batch, rows);
      const parts = { q: cut(rows.q), k: cut(rows.k), v: cut(rows.v) };
      const before = { q: parts.q[0], k: parts.k[0], v: parts.v[0] };
      const after = { q: parts.q[1], k: parts.k[1], v: parts.v[1] };
      const context = prefixHeads(batch, before);
      const branches = attendBranches(batch, after, {
        ...context,
        mask: prefixMask,
      });
      if (layer === last) return branches;
      return ops.concat([attendPrefixes(batch, context), branches], 0);
    },
  };
}

interface Heads<T> {
  readonly q: T;
  readonly k: T;
  readonly v: T;
}

/** Sizes of the head axes: K key/value heads, R query heads per key/value head, head size d. */
export function headAxes(config: ModelConfig) {
  const kv = config.num_key_value_heads;
  return { kv, per: config.num_attention_heads / kv, d: headSize(config) };
}

/** Rows of prefixes by head: q [B, K, R, P, d], k and v [B, K, P, d]. */
function prefixHeads<T>({ ops, config, layout }: BatchContext<T>, x: Heads<T>): Heads<T> {
  const { kv, per, d } = headAxes(config);
  const { groups: b, prefix: p } = layout;
  const q = ops.transpose(ops.reshape(x.q, [b, p, kv, per, d]), [0, 2, 3, 1, 4]);
  const byHead = (y: T) => ops.transpose(ops.reshape(y, [b, p, kv, d]), [0, 2, 1, 3]);
  return { q, k: byHead(x.k), v: byHead(x.v) };
}

/** Attention of prefixes to themselves -> rows [B*P, H*d]. */
function attendPrefixes<T>({ ops, config, layout }: BatchContext<T>, x: Heads<T>): T {
  const { kv, per, d } = headAxes(config);
  const { groups: b, prefix: p } = layout;
  const out = inParts(ops, x, ({ q, k, v }) => mix(ops, ops.softmax(ownScores(ops, q, k)), v));
  return ops.reshape(ops.transpose(out, [0, 3, 1, 2, 4]), [b * p, kv * per * d]);
}

/** Attention of branch rows to their prefix, if any, and to themselves -> [B*G*C, H*d]. */
function attendBranches<T>(
  { ops, config, layout }: BatchContext<T>,
  x: Heads<T>,
  context?: Heads<T> & { readonly mask: T },
): T {
  const { kv, per, d } = headAxes(config);
  const { groups: b, prefix: p, branches: g, length: c } = layout;
  const q = ops.transpose(ops.reshape(x.q, [b, g, c, kv, per, d]), [0, 3, 1, 4, 2, 5]);
  const byHead = (y: T) => ops.transpose(ops.reshape(y, [b, g, c, kv, d]), [0, 3, 1, 2, 4]);
  const [k, v] = [byHead(x.k), byHead(x.v)]; // [B, K, G, C, d]
  const overAll = (part: Heads<T>, { k: keys, v: values, mask }: NonNullable<typeof context>) => {
    const n = axisLength(ops.spec(part.q), -2);
    const rows = [b, kv, g, per, n];
    const all = ops.reshape(part.q, [b, kv, g * per * n, d]);
    const shared = ops.matmul(all, keys, { transposeB: true, alpha: 1 / Math.sqrt(d) });
    const padding = ops.reshape(mask, [b, 1, 1, 1, 1, p]);
    const sharedScores = ops.add(ops.reshape(shared, [...rows, p]), padding);
    const weights = ops.softmax(ops.concat([sharedScores, ownScores(ops, part.q, part.k)], 5));
    const own = axisLength(ops.spec(weights), 5) - p;
    const [onShared, onOwn] = splitInto(ops, weights, 5, [p, own]);
    const fromShared = ops.matmul(ops.reshape(onShared, [b, kv, g * per * n, p]), values);
    return ops.add(ops.reshape(fromShared, [...rows, d]), mix(ops, onOwn, part.v));
  };
  const out = inParts(ops, { q, k, v }, (part) =>
    context
      ? overAll(part, context)
      : mix(ops, ops.softmax(ownScores(ops, part.q, part.k)), part.v),
  );
  return ops.reshape(ops.transpose(out, [0, 2, 4, 1, 3, 5]), [b * g * c, kv * per * d]);
}

/**
 * Rows are split into at most this many parts of at least this many rows; more parts or smaller ones cost more than
 * they save.
 */
const MOST_PARTS = 4;
const FEWEST_ROWS = 64;

/**
 * Attention of rows to themselves, part by part, each over the keys up to its end: with four parts, three eighths of
 * the products and scores, which are masked, are never computed. q [..., R, N, d], k and v [..., N, d] -> as q.
 */
function inParts<T>(ops: Ops<T>, x: Heads<T>, attend: (part: Heads<T>) => T): T {
  const axis = ops.spec(x.k).shape.length - 2;
  const rows = axisLength(ops.spec(x.k), axis);
  const count = Math.min(MOST_PARTS, Math.floor(rows / FEWEST_ROWS));
  if (count < 2) return attend(x);
  const ends = Array.from({ length: count }, (_, i) => Math.floor(((i + 1) * rows) / count));
  const upTo = (y: T, end: number) =>
    end === rows ? y : splitInto(ops, y, axis, [end, rows - end])[0];
  const lengths = ends.map((end, i) => end - (ends[i - 1] ?? 0));
  const queries = ops.split(x.q, axis + 1, lengths);
  const parts = queries.map((q, i) => {
    const end = ends[i] ?? rows;
    return attend({ q, k: upTo(x.k, end), v: upTo(x.v, end) });
  });
  return ops.concat(parts, axis + 1);
}

/** Scores of the last n of m rows with all m: q [..., R, n, d], k [..., m, d] -> [..., R, n, m]. */
function ownScores<T>(ops: Ops<T>, q: T, k: T): T {
  const [r, n, d] = ops.spec(q).shape.slice(-3) as [number, number, number];
  const [...lead] = ops.spec(k).shape.slice(0, -2);
  const m = axisLength(ops.spec(k), -2);
  const flat = ops.reshape(q, [...lead, r * n, d]);
  const products = ops.matmul(flat, k, { transposeB: true, alpha: 1 / Math.sqrt(d) });
  return ops.add(ops.reshape(products, [...lead, r, n, m]), causalMask(ops, n, m));
}

/** Weighted sums: weights [..., R, n, m], values [..., m, d] -> [..., R, n, d] */
function mix<T>(ops: Ops<T>, weights: T, values: T): T {
  const [r, n, m] = ops.spec(weights).shape.slice(-3) as [number, number, number];
  const [...lead] = ops.spec(values).shape.slice(0, -2);
  const out = ops.matmul(ops.reshape(weights, [...lead, r * n, m]), values);
  return ops.reshape(out, [...lead, r, n, axisLength(ops.spec(values), -1)]);
}

/** Causal mask of the last n of m rows, [n, m]: 0 on and below their diagonal. */
export function causalMask<T>(ops: Ops<T>, n: number, m = n): T {
  if (m === 1) return scalar(ops, 0);
  const mask = new Float32Array(n * m);
  for (let i = 0; i < n; i++) mask.fill(MASKED, i * m + (m - n) + i + 1, (i + 1) * m);
  return ops.constant(mask, [n, m]);
}
