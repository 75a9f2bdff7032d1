/**
 * The key/value caches of a running batch, as arrays of this process: U units of G slots. Each unit has the cache of
 * its prompt, each slot that of its own tokens. Steps read the arrays in place; only what a step adds is copied.
 */

import { MASKED } from '../model/attention.ts';
import { type CachePart, cacheNamePairs, cacheNames, type WriteShape } from '../model/cached.ts';
import { headSize, type ModelConfig } from '../model/config.ts';
import { type Params, requireParam } from '../tensors.ts';

export type Arrays = Record<string, Float32Array>;

/** Counts changes of arrays other than by a step; a mirror on a device copies them again when the count changes. */
const versions = new WeakMap<Arrays, number>();
export function versionOf(arrays: Arrays): number {
  return versions.get(arrays) ?? 0;
}

/** Prompt caches: [rows, K, capacity, d] by name. */
export interface PromptArrays {
  readonly arrays: Readonly<Arrays>;
  readonly capacity: number;
}

/** Source of the prompt of a unit. */
export interface PromptSource {
  readonly from: PromptArrays;
  readonly row: number;
  readonly length: number;
}

/** Source of the generated tokens of a slot. */
export interface SlotSource {
  readonly from: BatchCache;
  readonly slot: number;
  readonly count: number;
}

export interface UnitSource {
  readonly prompt: PromptSource;
  /** Per slot; undefined for a rollout without generated tokens and for an idle slot. */
  readonly slots: readonly (SlotSource | undefined)[];
}

/** The caches of one running batch. */
export class BatchCache {
  readonly shape: WriteShape;
  readonly #config: ModelConfig;
  readonly #prompt: Arrays;
  readonly #own: Arrays;
  readonly #promptMask: Float32Array;
  readonly #ownMask: Float32Array;

  /** An empty cache. With `like`, a cache of the same slots and prompts, it shares the prompt arrays. */
  constructor(config: ModelConfig, shape: WriteShape, like?: BatchCache) {
    const { units, branches, prefix, capacity } = shape;
    const width = config.num_key_value_heads * headSize(config);
    const make = (part: CachePart, size: number): Arrays =>
      Object.fromEntries(cacheNames(part, config).map((name) => [name, new Float32Array(size)]));
    this.shape = shape;
    this.#config = config;
    this.#prompt = like ? like.#prompt : make('prompt', units * prefix * width);
    this.#own = make('own', units * branches * capacity * width);
    this.#promptMask = like ? like.#promptMask : new Float32Array(units * prefix).fill(MASKED);
    this.#ownMask = new Float32Array(units * branches * capacity).fill(MASKED);
  }

  /** A cache of this shape, filled with units of other caches. */
  static gather(config: ModelConfig, shape: WriteShape, units: readonly UnitSource[]): BatchCache {
    const cache = new BatchCache(config, shape);
    for (const [unit, source] of units.entries()) cache.place(unit, source);
    return cache;
  }

  /** Masks of the positions that hold a token: inputs of the write program. */
  get masks(): Arrays {
    return { promptMask: this.#promptMask, ownMask: this.#ownMask };
  }
  /** The other inputs of the write program. */
  get parts(): { readonly prompt: Arrays; readonly own: Arrays } {
    return { prompt: this.#prompt, own: this.#own };
  }
  get prompts(): PromptArrays {
    return { arrays: this.#prompt, capacity: this.shape.prefix };
  }

  /** Replaces the prompt of a unit and the tokens of its slots. */
  place(unit: number, { prompt, slots }: UnitSource): void {
    const { branches, capacity } = this.shape;
    this.#setPrompt(unit, prompt);
    this.#ownMask.fill(MASKED, unit * branches * capacity, (unit + 1) * branches * capacity);
    this.#clearSlots(unit);
    for (const [branch, source] of slots.entries())
      if (source && source.count > 0) this.#setSlot(unit * branches + branch, source);
  }

  /**
   * Appends what a step computed, `new:*` [slots, K*d], after the `counts[slot]` tokens of each slot; -1 skips a slot.
   */
  append(made: Params<Float32Array>, counts: Int32Array): void {
    const heads = this.#config.num_key_value_heads;
    const d = headSize(this.#config);
    for (const [own, added] of cacheNamePairs('own', 'new', this.#config)) {
      const [from, to] = [requireParam(made, added), requireParam(this.#own, own)];
      for (let slot = 0; slot < counts.length; slot++) {
        if (counts[slot]! < 0) continue;
        for (let head = 0; head < heads; head++) {
          const start = (slot * heads + head) * d;
          const at = this.#start(slot, head) + counts[slot]! * d;
          for (let j = 0; j < d; j++) to[at + j] = from[start + j]!;
        }
      }
    }
    const { capacity } = this.shape;
    for (let slot = 0; slot < counts.length; slot++)
      if (counts[slot]! >= 0) this.#ownMask[slot * capacity + counts[slot]!] = 0;
  }

  /** The same slots with a larger capacity. `counts` as in {@link append}: tokens of each slot. */
  grow(capacity: number, counts: Int32Array): BatchCache {
    const next = new BatchCache(this.#config, { ...this.shape, capacity }, this);
    for (const [slot, count] of counts.entries())
      if (count > 0) next.#setSlot(slot, { from: this, slot, count });
    return next;
  }

  /** Positions without a token are 0. */
  #clearSlots(unit: number): void {
    const size = this.#config.num_key_value_heads * this.shape.branches * this.shape.capacity;
    const row = size * headSize(this.#config);
    for (const target of Object.values(this.#own)) target.fill(0, unit * row, (unit + 1) * row);
    for (const arrays of [this.#prompt, this.#own]) versions.set(arrays, versionOf(arrays) + 1);
  }

  #setPrompt(unit: number, { from, row, length }: PromptSource): void {
    const { prefix } = this.shape;
    const d = headSize(this.#config);
    const heads = this.#config.num_key_value_heads;
    for (const [name, target] of Object.entries(this.#prompt))
      for (let head = 0; head < heads; head++) {
        const start = (row * heads + head) * from.capacity * d;
        const rows = requireParam(from.arrays, name).subarray(start, start + length * d);
        target.set(rows, (unit * heads + head) * prefix * d);
      }
    this.#promptMask.fill(MASKED, unit * prefix, (unit + 1) * prefix);
    this.#promptMask.fill(0, unit * prefix, unit * prefix + length);
  }

  #setSlot(slot: number, { from, slot: sourceSlot, count }: SlotSource): void {
    const heads = this.#config.num_key_value_heads;
    const size = count * headSize(this.#config);
    for (const [name, target] of Object.entries(this.#own))
      for (let head = 0; head < heads; head++) {
        const start = from.#start(sourceSlot, head);
        const rows = requireParam(from.#own, name).subarray(start, start + size);
        target.set(rows, this.#start(slot, head));
      }
    const { capacity } = this.shape;
    this.#ownMask.fill(0, slot * capacity, slot * capacity + count);
  }

  /** Offset of a head of a slot in the tensors [U, K, G, C, d]. */
  #start(slot: number, head: number): number {
    const { branches, capacity } = this.shape;
    const unit = Math.floor(slot / branches);
    const row = (unit * this.#config.num_key_value_heads + head) * branches + (slot % branches);
    return row * capacity * headSize(this.#config);
  }
}
