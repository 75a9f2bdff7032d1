/**
 * Attention with a key/value cache, for sampling. Reading a prompt returns its keys and values; writing continues from
 * them, one token per slot. Slots that continue the same prompt form a unit and read its cache together: a product of
 * one row is bound by memory, one of several rows is not. Caches are only read here: what a step adds is returned, and
 * the owner of the caches stores it.
 */

import { type Ops, scalar, splitInto } from '../ops.ts';
import { type Params, requireParam, type Tensors } from '../tensors.ts';
import { causalMask, headAxes } from './attention.ts';
import { headSize, type ModelConfig } from './config.ts';
import type { Attention } from './llama.ts';

/** Inputs of attention with a cache, beside the caches of the layers. */
export type ReadName = 'positions' | 'cos' | 'sin';
export type WriteName = ReadName | 'promptMask' | 'ownMask';

/** The shape of reading prompts. */
export interface ReadShape {
  /** B */
  readonly prompts: number;
  /** S, rows read of each prompt; padding is at the end. */
  readonly length: number;
  /** P, tokens of each prompt read before, without padding. */
  readonly past: number;
  /** Whether this is the last chunk: the distribution of the next token is returned. */
  readonly isLast: boolean;
}

/** The shape of a running batch. */
export interface WriteShape {
  /** U, units. */
  readonly units: number;
  /** G, slots of a unit. */
  readonly branches: number;
  /** P, capacity for a prompt, in tokens. */
  readonly prefix: number;
  /** C, capacity for generated tokens. */
  readonly capacity: number;
}

const KINDS = ['key', 'value'] as const;
type CacheKind = (typeof KINDS)[number];
/** A part of the cache: of a prompt, of its earlier chunks, of the generated tokens, or of the newest token. */
export type CachePart = 'prompt' | 'past' | 'own' | 'new';

function cacheName(part: CachePart, kind: CacheKind, layer: number): string {
  return `${part}:${kind}:${layer}`;
}

/** Names of all cache tensors of a part, keys and values, layer by layer. */
export function cacheNames(part: CachePart, config: ModelConfig): string[] {
  return Array.from({ length: config.num_hidden_layers }, (_, layer) =>
    KINDS.map((kind) => cacheName(part, kind, layer)),
  ).flat();
}

/** The names of the cache tensors of one part, each with its name in another part. */
export function cacheNamePairs(
  from: CachePart,
  to: CachePart,
  config: ModelConfig,
): (readonly [from: string, to: string])[] {
  return Array.from({ length: config.num_hidden_layers }, (_, layer) =>
    KINDS.map((kind) => [cacheName(from, kind, layer), cacheName(to, kind, layer)] as const),
  ).flat();
}

/** An {@link Attention} and the cache tensors it computes, which exist once the model has run. */
export interface CachingAttention<T> {
  readonly attention: Attention<T>;
  readonly made: Params<T>;
}

/**
 * Causal attention of prompts or a chunk of them, rows [B, S], after `past:*` [B, K, P, d]. Returns `prompt:*` [B, K,
 * S, d]. After the last layer only the last row of each prompt is kept. Needs positions [B*S], cos, sin, and for the
 * last chunk `lastRows` i32 [B].
 */
export function readingAttention<T>(
  ops: Ops<T>,
  config: ModelConfig,
  { prompts: b, length: s, past: p, isLast }: ReadShape,
  x: Tensors<ReadName, T>,
): CachingAttention<T> {
  const { kv, per, d } = headAxes(config);
  const made: Record<string, T> = {};
  const final = config.num_hidden_layers - 1;
  const keep = (layer: number, y: T) =>
    isLast && layer === final ? ops.gatherRows(y, requireParam(x, 'lastRows')) : y;
  const rope = (y: T) => ops.rope(y, x.positions, x.cos, x.sin);
  const byHead = (y: T) => ops.transpose(ops.reshape(y, [b, s, kv, d]), [0, 2, 1, 3]);
  const alpha = 1 / Math.sqrt(d);
  const mask = causalMask(ops, s);
  const attend = (layer: number, q: T, k: T, v: T) => {
    const [keys, values] = [byHead(rope(k)), byHead(v)]; // [B, K, S, d]
    made[cacheName('prompt', 'key', layer)] = keys;
    made[cacheName('prompt', 'value', layer)] = values;
    const queries = ops.transpose(ops.reshape(rope(q), [b, s, kv, per, d]), [0, 2, 3, 1, 4]);
    const flat = ops.reshape(queries, [b, kv, per * s, d]);
    const on = (others: T, n: number) =>
      ops.reshape(ops.matmul(flat, others, { transposeB: true, alpha }), [b, kv, per, s, n]);
    const from = (weights: T, others: T, n: number) =>
      ops.matmul(ops.reshape(weights, [b, kv, per * s, n]), others);
    const scores = ops.add(on(keys, s), mask);
    const mixed = () => {
      if (p === 0) return from(ops.softmax(scores), values, s);
      const pastKeys = requireParam(x, cacheName('past', 'key', layer));
      const pastValues = requireParam(x, cacheName('past', 'value', layer));
      const weights = ops.softmax(ops.concat([on(pastKeys, p), scores], 4));
      const [toPast, toOwn] = splitInto(ops, weights, 4, [p, s]);
      return ops.add(from(toPast, pastValues, p), from(toOwn, values, s));
    };
    const rows = ops.transpose(ops.reshape(mixed(), [b, kv, per, s, d]), [0, 3, 1, 2, 4]);
    return keep(layer, ops.reshape(rows, [b * s, kv * per * d]));
  };
  return { attention: { attend, keep }, made };
}

/**
 * Attention of one new token per slot, rows [U*G], to the prompt of its unit, its own earlier tokens and itself. Reads
 * `prompt:*` [U, K, P, d] and `own:*` [U, K, G, C, d] with masks `promptMask` [U, P] and `ownMask` [U*G, C] (0, or -1e9
 * for an empty position). Returns `new:*` [U*G, K*d].
 */
export function writingAttention<T>(
  ops: Ops<T>,
  config: ModelConfig,
  shape: WriteShape,
  x: Tensors<WriteName, T>,
): CachingAttention<T> {
  const made: Record<string, T> = {};
  const scale = scalar(ops, 1 / Math.sqrt(headSize(config)));
  const rope = (y: T) => ops.rope(y, x.positions, x.cos, x.sin);
  const attend = (layer: number, q: T, k: T, v: T) => {
    const key = rope(k);
    made[cacheName('new', 'key', layer)] = key;
    made[cacheName('new', 'value', layer)] = v;
    // Scaled here and not by alpha: with alpha 1 a product of one row skips the packing of its matrix.
    const query = ops.mul(rope(q), scale);
    const cache = (part: CachePart, kind: CacheKind) =>
      requireParam(x, cacheName(part, kind, layer));
    return attendOnce(ops, config, shape, {
      query,
      key,
      value: v,
      promptKey: cache('prompt', 'key'),
      promptValue: cache('prompt', 'value'),
      ownKey: cache('own', 'key'),
      ownValue: cache('own', 'value'),
      promptMask: x.promptMask,
      ownMask: x.ownMask,
    });
  };
  return { attention: { attend, keep: (_, y) => y }, made };
}

interface Step<T> {
  readonly query: T;
  readonly key: T;
  readonly value: T;
  readonly promptKey: T;
  readonly promptValue: T;
  readonly ownKey: T;
  readonly ownValue: T;
  readonly promptMask: T;
  readonly ownMask: T;
}

function attendOnce<T>(ops: Ops<T>, config: ModelConfig, shape: WriteShape, x: Step<T>): T {
  const { kv, per, d } = headAxes(config);
  const { units: u, branches: g, prefix: p, capacity: c } = shape;
  // By unit and head, with the slots of a unit side by side: [U, K, G, R, d].
  const byHead = (y: T, heads: number) =>
    ops.transpose(ops.reshape(y, [u, g, kv, heads, d]), [0, 2, 1, 3, 4]);
  const [query, key, value] = [byHead(x.query, per), byHead(x.key, 1), byHead(x.value, 1)];
  const together = (y: T, n: number) => ops.reshape(y, [u, kv, g * per, n]);
  const alone = (y: T, n: number) => ops.reshape(y, [u, kv, g, per, 1, n]);
  const apart = (y: T, n: number) => ops.reshape(y, [u, kv, g, per, n]);
  const own = (cache: T) => ops.reshape(cache, [u, kv, g, 1, c, d]);

  const onPrompt = ops.matmul(together(query, d), x.promptKey, { transposeB: true });
  const onOwn = ops.matmul(alone(query, d), own(x.ownKey), { transposeB: true });
  const onSelf = ops.sum(ops.mul(query, key), [4], true);
  const scores = [
    ops.add(apart(onPrompt, p), ops.reshape(x.promptMask, [u, 1, 1, 1, p])),
    ops.add(apart(onOwn, c), ops.reshape(x.ownMask, [u, 1, g, 1, c])),
    onSelf,
  ];
  const weights = ops.softmax(ops.concat(scores, 4)); // [U, K, G, R, P+C+1]
  const [toPrompt, toOwn, toSelf] = splitInto(ops, weights, 4, [p, c, 1]);
  const fromPrompt = ops.matmul(together(toPrompt, p), x.promptValue);
  const fromOwn = ops.matmul(alone(toOwn, c), own(x.ownValue));
  const fromSelf = ops.mul(toSelf, value);
  const mixed = ops.add(ops.add(apart(fromPrompt, d), apart(fromOwn, d)), fromSelf);
  return ops.reshape(ops.transpose(mixed, [0, 2, 1, 3, 4]), [u * g, kv * per * d]);
}
