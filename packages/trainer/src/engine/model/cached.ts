/**
 * Attention with a key/value cache, for sampling. Reading a prompt gives its keys and values; writing goes on from
 * them, one token a lane at a time. Lanes that continue the same prompt form a unit and read it together: a product
 * of one row is bound by memory, one of several rows is not. The caches are only read here: what a step adds is
 * returned, and whoever holds the caches writes it into them.
 */

import { headSize, type ModelConfig } from '../config.ts';
import { type Ops, scalar } from '../ops.ts';
import { causalMask, headAxes } from './attention.ts';
import type { Attention } from './llama.ts';

export type Values<T> = Readonly<Record<string, T>>;

export interface ReadShape {
  /** B */
  readonly prompts: number;
  /** S, slots of a prompt; padding stands at the end. */
  readonly length: number;
}

export interface WriteShape {
  /** U, prompts that are being continued. */
  readonly units: number;
  /** G, lanes of a unit. */
  readonly branches: number;
  /** P, slots of a prompt. */
  readonly prefix: number;
  /** C, slots for tokens written so far. */
  readonly slots: number;
}

const kinds = ['key', 'value'] as const;
export type CacheKind = (typeof kinds)[number];
/** A tensor of the cache: of the prompt, of the tokens written, or of the token just written. */
export type CachePart = 'prompt' | 'own' | 'new';

export const cacheName = (part: CachePart, kind: CacheKind, layer: number): string =>
  `${part}:${kind}:${layer}`;

/** Names of all caches of a part, keys and values, layer by layer. */
export const cacheNames = (part: CachePart, config: ModelConfig): string[] =>
  Array.from({ length: config.num_hidden_layers }, (_, layer) =>
    kinds.map((kind) => cacheName(part, kind, layer)),
  ).flat();

/** An {@link Attention} and the caches it makes, which are there once the model has run. */
export interface CachingAttention<T> {
  readonly attention: Attention<T>;
  readonly made: Readonly<Record<string, T>>;
}

/**
 * Causal attention over whole prompts, rows [B, S]. Made: `prompt:*` [B, K, S, d]. After the last layer only each
 * prompt's last row goes on. Needs positions [B*S], cos, sin, and `lastRows` i32 [B].
 */
export function readingAttention<T>(
  ops: Ops<T>,
  config: ModelConfig,
  { prompts: b, length: s }: ReadShape,
  x: Values<T>,
): CachingAttention<T> {
  const { kv, per, d } = headAxes(config);
  const made: Record<string, T> = {};
  const final = config.num_hidden_layers - 1;
  const keep = (layer: number, y: T) => (layer === final ? ops.gatherRows(y, x.lastRows!) : y);
  const rope = (y: T) => ops.rope(y, x.positions!, x.cos!, x.sin!);
  const byHead = (y: T) => ops.transpose(ops.reshape(y, [b, s, kv, d]), [0, 2, 1, 3]);
  const attend = (layer: number, q: T, k: T, v: T) => {
    const [keys, values] = [byHead(rope(k)), byHead(v)]; // [B, K, S, d]
    made[cacheName('prompt', 'key', layer)] = keys;
    made[cacheName('prompt', 'value', layer)] = values;
    const queries = ops.transpose(ops.reshape(rope(q), [b, s, kv, per, d]), [0, 2, 3, 1, 4]);
    const flat = ops.reshape(queries, [b, kv, per * s, d]);
    const products = ops.matmul(flat, keys, { transposeB: true, alpha: 1 / Math.sqrt(d) });
    const scores = ops.add(ops.reshape(products, [b, kv, per, s, s]), causalMask(ops, s));
    const weights = ops.reshape(ops.softmax(scores), [b, kv, per * s, s]);
    const mixed = ops.reshape(ops.matmul(weights, values), [b, kv, per, s, d]);
    const rows = ops.transpose(mixed, [0, 3, 1, 2, 4]);
    return keep(layer, ops.reshape(rows, [b * s, kv * per * d]));
  };
  return { attention: { attend, keep }, made };
}

/**
 * Attention of one new token a lane, rows [U*G], over its unit's prompt, its own earlier tokens and itself.
 * Reads `prompt:*` [U, K, P, d] and `own:*` [U*G, K, C, d] with masks `promptMask` [U*G, P] and `ownMask` [U*G, C]
 * (0, or -1e9 where a slot is empty). Made: `new:*` [U*G, K*d].
 */
export function writingAttention<T>(
  ops: Ops<T>,
  config: ModelConfig,
  shape: WriteShape,
  x: Values<T>,
): CachingAttention<T> {
  const made: Record<string, T> = {};
  const scale = scalar(ops, 1 / Math.sqrt(headSize(config)));
  const rope = (y: T) => ops.rope(y, x.positions!, x.cos!, x.sin!);
  const attend = (layer: number, q: T, k: T, v: T) => {
    const key = rope(k);
    made[cacheName('new', 'key', layer)] = key;
    made[cacheName('new', 'value', layer)] = v;
    // Scaled before, not by the products' alpha: with alpha 1 a product of one row skips the packing of its matrix.
    const query = ops.mul(rope(q), scale);
    const cache = (part: CachePart, kind: CacheKind) => x[cacheName(part, kind, layer)]!;
    return attendOnce(ops, config, shape, {
      query,
      key,
      value: v,
      promptKey: cache('prompt', 'key'),
      promptValue: cache('prompt', 'value'),
      ownKey: cache('own', 'key'),
      ownValue: cache('own', 'value'),
      promptMask: x.promptMask!,
      ownMask: x.ownMask!,
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
  const { units: u, branches: g, prefix: p, slots: c } = shape;
  const b = u * g;
  // Lanes of a unit side by side, [U, K, G*R, n], and back.
  const gather = (y: T, n: number) =>
    ops.reshape(ops.transpose(ops.reshape(y, [u, g, kv, per, n]), [0, 2, 1, 3, 4]), [
      u,
      kv,
      g * per,
      n,
    ]);
  const spread = (y: T, n: number) =>
    ops.reshape(ops.transpose(ops.reshape(y, [u, kv, g, per, n]), [0, 2, 1, 3, 4]), [
      b,
      kv,
      per,
      n,
    ]);
  const alone = (y: T, n: number) => ops.reshape(y, [b, kv, per, 1, n]);
  const one = (y: T) => ops.reshape(y, [b, kv, 1, d]);
  const each = (y: T) => ops.reshape(y, [b, kv, 1, c, d]);

  const onPrompt = spread(ops.matmul(gather(x.query, d), x.promptKey, { transposeB: true }), p);
  const onOwn = ops.matmul(alone(x.query, d), each(x.ownKey), { transposeB: true });
  const query = ops.reshape(x.query, [b, kv, per, d]);
  const onSelf = ops.sum(ops.mul(query, one(x.key)), [3], true); // [B, K, R, 1]
  const scores = ops.concat(
    [
      ops.add(onPrompt, ops.reshape(x.promptMask, [b, 1, 1, p])),
      ops.add(ops.reshape(onOwn, [b, kv, per, c]), ops.reshape(x.ownMask, [b, 1, 1, c])),
      onSelf,
    ],
    3,
  );
  const weights = ops.softmax(scores); // [B, K, R, P+C+1]
  const [toPrompt, toOwn, toSelf] = ops.split(weights, 3, [p, c, 1]);
  const fromPrompt = spread(ops.matmul(gather(toPrompt!, p), x.promptValue), d);
  const fromOwn = ops.matmul(alone(toOwn!, c), each(x.ownValue));
  const fromSelf = ops.mul(toSelf!, one(x.value));
  const mixed = ops.add(ops.add(fromPrompt, ops.reshape(fromOwn, [b, kv, per, d])), fromSelf);
  return ops.reshape(mixed, [b, kv * per * d]);
}
