/**
 * Causal attention for training: sequences that share a prefix (the rollouts of one prompt) hold it once.
 * A batch is B groups of P prefix rows, then B x G branches of C rows; branch rows see their group's prefix and
 * their own branch. P = 0 and G = 1 is the ordinary batch of B sequences.
 * Rows are ordered [prefixes: B, P] then [branches: B, G, C]. Padding stands at the end of prefixes and branches.
 */

import { headSize, type ModelConfig } from '../config.ts';
import { type Ops, scalar } from '../ops.ts';
import type { Attention } from './llama.ts';

export interface Layout {
  /** B */
  readonly groups: number;
  /** P, slots of a prefix; 0 where nothing is shared. */
  readonly prefix: number;
  /** G, branches of a group. */
  readonly branches: number;
  /** C, slots of a branch. */
  readonly length: number;
}

export const prefixRows = ({ groups, prefix }: Layout): number => groups * prefix;
export const branchRows = ({ groups, branches, length }: Layout): number =>
  groups * branches * length;
export const totalRows = (layout: Layout): number => prefixRows(layout) + branchRows(layout);

export interface AttentionInputs<T> {
  /** i32 [N] */
  readonly positions: T;
  /** [maxPositions, d/2] */
  readonly cos: T;
  readonly sin: T;
  /** [B, P]: 0 for a prefix token, -1e9 for padding. Absent where P = 0. */
  readonly prefixMask?: T;
}

/** Added to a score that must not count: far below any score, and finite so that no row becomes NaN. */
export const masked = -1e9;

/** The {@link Attention} of a layout. Unless `keepPrefix`, prefix rows end in the last layer: nothing reads them. */
export function groupedAttention<T>(
  ops: Ops<T>,
  config: ModelConfig,
  layout: Layout,
  inputs: AttentionInputs<T>,
  keepPrefix = false,
): Attention<T> {
  const last = keepPrefix ? undefined : config.num_hidden_layers - 1;
  const shared = prefixRows(layout);
  const own = branchRows(layout);
  const rope = (x: T) => ops.rope(x, inputs.positions, inputs.cos, inputs.sin);
  const cut = (x: T) => ops.split(x, 0, [shared, own]);
  return {
    keep: (layer, x) => (shared && layer === last ? cut(x)[1]! : x),
    attend: (layer, q, k, v) => {
      const rows = [rope(q), rope(k), v];
      const { prefixMask } = inputs;
      if (!shared || !prefixMask) return attendBranches(ops, config, layout, heads(rows));
      const parts = rows.map(cut);
      const [before, after] = [0, 1].map((i) => heads(parts.map((part) => part[i]!)));
      const context = prefixHeads(ops, config, layout, before!);
      const branches = attendBranches(ops, config, layout, after!, {
        ...context,
        mask: prefixMask,
      });
      if (layer === last) return branches;
      return ops.concat([attendPrefixes(ops, config, layout, context), branches], 0);
    },
  };
}

interface Heads<T> {
  readonly q: T;
  readonly k: T;
  readonly v: T;
}

/** Sizes of the head axes: K key/value heads, R query heads of each, d. */
export function headAxes(config: ModelConfig) {
  const kv = config.num_key_value_heads;
  return { kv, per: config.num_attention_heads / kv, d: headSize(config) };
}

const heads = <T>([q, k, v]: readonly T[]): Heads<T> => ({ q: q!, k: k!, v: v! });

/** Rows of prefixes by head: q [B, K, R, P, d], k and v [B, K, P, d]. */
function prefixHeads<T>(ops: Ops<T>, config: ModelConfig, layout: Layout, x: Heads<T>): Heads<T> {
  const { kv, per, d } = headAxes(config);
  const { groups: b, prefix: p } = layout;
  const q = ops.transpose(ops.reshape(x.q, [b, p, kv, per, d]), [0, 2, 3, 1, 4]);
  const byHead = (y: T) => ops.transpose(ops.reshape(y, [b, p, kv, d]), [0, 2, 1, 3]);
  return { q, k: byHead(x.k), v: byHead(x.v) };
}

/** Prefixes over themselves -> rows [B*P, H*d]. */
function attendPrefixes<T>(ops: Ops<T>, config: ModelConfig, layout: Layout, x: Heads<T>): T {
  const { kv, per, d } = headAxes(config);
  const { groups: b, prefix: p } = layout;
  const alpha = 1 / Math.sqrt(d);
  const flat = ops.reshape(x.q, [b, kv, per * p, d]);
  const products = ops.matmul(flat, x.k, { transposeB: true, alpha });
  const scores = ops.add(ops.reshape(products, [b, kv, per, p, p]), causalMask(ops, p));
  const weights = ops.reshape(ops.softmax(scores), [b, kv, per * p, p]);
  const out = ops.reshape(ops.matmul(weights, x.v), [b, kv, per, p, d]);
  return ops.reshape(ops.transpose(out, [0, 3, 1, 2, 4]), [b * p, kv * per * d]);
}

/** Branch rows over their prefix, if there is one, and themselves -> [B*G*C, H*d]. */
function attendBranches<T>(
  ops: Ops<T>,
  config: ModelConfig,
  layout: Layout,
  x: Heads<T>,
  context?: Heads<T> & { readonly mask: T },
): T {
  const { kv, per, d } = headAxes(config);
  const { groups: b, prefix: p, branches: g, length: c } = layout;
  const q = ops.transpose(ops.reshape(x.q, [b, g, c, kv, per, d]), [0, 3, 1, 4, 2, 5]);
  const [k, v] = [x.k, x.v].map((y) =>
    ops.transpose(ops.reshape(y, [b, g, c, kv, d]), [0, 3, 1, 2, 4]),
  ); // [B, K, G, C, d]
  const alpha = 1 / Math.sqrt(d);
  const own = ops.matmul(ops.reshape(q, [b, kv, g, per * c, d]), k!, { transposeB: true, alpha });
  const ownScores = ops.add(ops.reshape(own, [b, kv, g, per, c, c]), causalMask(ops, c));
  const toRows = (y: T) => {
    const split = ops.reshape(y, [b, kv, g, per, c, d]);
    return ops.reshape(ops.transpose(split, [0, 2, 4, 1, 3, 5]), [b * g * c, kv * per * d]);
  };
  const mix = (weights: T) => ops.matmul(ops.reshape(weights, [b, kv, g, per * c, c]), v!);
  if (!context) return toRows(mix(ops.softmax(ownScores)));

  const all = ops.reshape(q, [b, kv, g * per * c, d]);
  const shared = ops.matmul(all, context.k, { transposeB: true, alpha });
  const mask = ops.reshape(context.mask, [b, 1, 1, 1, 1, p]);
  const sharedScores = ops.add(ops.reshape(shared, [b, kv, g, per, c, p]), mask);
  const weights = ops.softmax(ops.concat([sharedScores, ownScores], 5)); // [..., C, P+C]
  const [onShared, onOwn] = ops.split(weights, 5, [p, c]);
  const fromShared = ops.matmul(ops.reshape(onShared!, [b, kv, g * per * c, p]), context.v);
  return toRows(ops.add(ops.reshape(fromShared, [b, kv, g, per * c, d]), mix(onOwn!)));
}

/** [n, n]: 0 on and below the diagonal. */
export function causalMask<T>(ops: Ops<T>, n: number): T {
  if (n === 1) return scalar(ops, 0);
  const mask = Float32Array.from({ length: n * n }, (_, at) =>
    at % n > Math.floor(at / n) ? masked : 0,
  );
  return ops.constant(mask, [n, n]);
}
