/**
 * Caches on a device. The arrays of a {@link BatchCache} are copied there when they are new or were rearranged; after
 * that each step adds its tokens to the copy on the device, and only the added rows are read back, in one tensor.
 */

import type { BufferMap, Executor, Program } from '../executors/types.ts';
import { cacheNamePairs, cacheNames, type WriteName, type WriteShape } from '../model/cached.ts';
import { headSize, type ModelConfig } from '../model/config.ts';
import { f32, type Ops, type TensorSpec } from '../ops.ts';
import { requireParam, type Tensors } from '../tensors.ts';
import { type Arrays, type BatchCache, versionOf } from './cache.ts';
import { type NextKind, writeProgram, writeTokens } from './programs.ts';

interface Mirror {
  readonly buffers: BufferMap;
  version: number;
  lastUsed: number;
}

/** Number of steps after which a cache that no step has read is freed. Few batches run in turn. */
const FORGOTTEN_AFTER = 8;

/** Mirrors caches on a device. */
export class ResidentCaches {
  readonly #executor: Executor;
  readonly #config: ModelConfig;
  readonly #mirrors = new Map<Arrays, Mirror>();
  #steps = 0;

  constructor(executor: Executor, config: ModelConfig) {
    this.#executor = executor;
    this.#config = config;
  }

  /** The tensors on the device that mirror a cache. */
  take(cache: BatchCache): { readonly prompt: BufferMap; readonly own: BufferMap } {
    const { prompt, own } = cacheSpecs(this.#config, cache.shape);
    const found = {
      prompt: this.#mirror(cache.parts.prompt, prompt),
      own: this.#mirror(cache.parts.own, own),
    };
    this.#steps += 1;
    this.#forget(FORGOTTEN_AFTER);
    return found;
  }

  close(): void {
    this.#forget(-1);
  }

  #mirror(arrays: Arrays, spec: TensorSpec): BufferMap {
    const known = this.#mirrors.get(arrays);
    const mirror = known ?? { buffers: this.#allocate(arrays, spec), version: -1, lastUsed: 0 };
    if (mirror.version !== versionOf(arrays))
      for (const [name, array] of Object.entries(arrays))
        requireParam(mirror.buffers, name).write(array);
    mirror.version = versionOf(arrays);
    mirror.lastUsed = this.#steps;
    this.#mirrors.set(arrays, mirror);
    return mirror.buffers;
  }

  #allocate(arrays: Arrays, spec: TensorSpec): BufferMap {
    const names = Object.keys(arrays);
    const { parts } = this.#executor.allocate(names.map(() => spec));
    return Object.fromEntries(names.map((name, i) => [name, parts[i]!]));
  }

  #forget(steps: number): void {
    for (const [arrays, { buffers, lastUsed }] of this.#mirrors)
      if (this.#steps - lastUsed > steps) {
        for (const buffer of Object.values(buffers)) buffer.dispose();
        this.#mirrors.delete(arrays);
      }
  }
}

function cacheSpecs(config: ModelConfig, { units, branches, prefix, capacity }: WriteShape) {
  const [kv, d] = [config.num_key_value_heads, headSize(config)];
  return { prompt: f32(units, kv, prefix, d), own: f32(units, kv, branches, capacity, d) };
}

/**
 * 1 at the position of the next token of each slot: f32 [slots, capacity], from the number of tokens of each slot; -1
 * skips a slot.
 */
export function nextPlaces({ units, branches, capacity }: WriteShape, counts: Int32Array) {
  const places = new Float32Array(units * branches * capacity);
  for (const [slot, count] of counts.entries()) if (count >= 0) places[slot * capacity + count] = 1;
  return places;
}

/** The tensor of the added rows, `made`: keys and values layer by layer, [2 L, slots, K*d]. */
export function madeSpec(config: ModelConfig, { units, branches }: WriteShape): TensorSpec {
  const width = config.num_key_value_heads * headSize(config);
  return f32(2 * config.num_hidden_layers, units * branches, width);
}

/** Splits `made` into `new:*` [slots, K*d]. */
export function unpackMade(config: ModelConfig, made: Float32Array): Arrays {
  const names = cacheNames('new', config);
  const size = made.length / names.length;
  return Object.fromEntries(
    names.map((name, i) => [name, made.subarray(i * size, (i + 1) * size)]),
  );
}

/** The write program with `own:*` among its outputs, with the new token in its place, and all added rows in `made`. */
export function residentWriteProgram(
  config: ModelConfig,
  shape: WriteShape,
  kind: NextKind,
  positions: number,
): Program<WriteName | 'tokens' | 'places'> {
  const base = writeProgram(config, shape, kind, positions);
  const { units: u, branches: g, capacity: c } = shape;
  const [kv, d] = [config.num_key_value_heads, headSize(config)];
  const pairs = cacheNamePairs('own', 'new', config);
  return {
    name: base.name,
    inputs: { ...base.inputs, places: f32(u * g, c) },
    build: <T>(ops: Ops<T>, x: Tensors<WriteName | 'tokens' | 'places', T>) => {
      const { next, made } = writeTokens(ops, config, shape, x);
      const places = ops.reshape(x.places, [u, 1, g, c, 1]);
      const row = (name: string) =>
        ops.transpose(ops.reshape(requireParam(made, name), [u, g, kv, 1, d]), [0, 2, 1, 3, 4]);
      // Empty positions are 0, so the token is added.
      const updated = pairs.map(([own, added]) => {
        const cache = requireParam(x, own);
        return [own, ops.add(cache, ops.mul(places, row(added)))] as const;
      });
      const rows = pairs.map(([, added]) =>
        ops.reshape(requireParam(made, added), [1, u * g, kv * d]),
      );
      return { next, made: ops.concat(rows, 0), ...Object.fromEntries(updated) };
    },
  };
}
