/**
 * The key/value caches of the rollouts being written, as arrays of this process: U units of G lanes, each unit with
 * its prompt's cache, each lane with that of its own tokens. Steps read them in place; only what a step adds is copied.
 */

import { MASKED } from '../model/attention.ts';
import { type CachePart, cacheNames, type WriteShape } from '../model/cached.ts';
import { headSize, type ModelConfig } from '../model/config.ts';

export type Arrays = Record<string, Float32Array>;

/** How often arrays were changed other than by a step; who mirrors them copies them anew. */
const versions = new WeakMap<Arrays, number>();
export function versionOf(arrays: Arrays): number {
  return versions.get(arrays) ?? 0;
}

/** Prompt caches: [rows, K, slots, d] by name. */
export interface PromptArrays {
  readonly arrays: Readonly<Arrays>;
  readonly slots: number;
}

/** Where a unit takes its prompt from. */
export interface PromptSource {
  readonly from: PromptArrays;
  readonly row: number;
  readonly length: number;
}

/** Where a lane takes the tokens written so far from. */
export interface LaneSource {
  readonly from: LaneCache;
  readonly lane: number;
  readonly count: number;
}

export interface UnitSource {
  readonly prompt: PromptSource;
  /** Of each lane; absent for one that has written nothing, or is idle. */
  readonly lanes: readonly (LaneSource | undefined)[];
}

export class LaneCache {
  readonly shape: WriteShape;
  readonly #config: ModelConfig;
  readonly #prompt: Arrays;
  readonly #own: Arrays;
  readonly #promptMask: Float32Array;
  readonly #ownMask: Float32Array;

  /** Empty; with `like`, whose lanes and prompts are the same, it shares the prompts' part. */
  constructor(config: ModelConfig, shape: WriteShape, like?: LaneCache) {
    const { units, branches, prefix, slots } = shape;
    const width = config.num_key_value_heads * headSize(config);
    const make = (part: CachePart, size: number): Arrays =>
      Object.fromEntries(cacheNames(part, config).map((name) => [name, new Float32Array(size)]));
    this.shape = shape;
    this.#config = config;
    this.#prompt = like ? like.#prompt : make('prompt', units * prefix * width);
    this.#own = make('own', units * branches * slots * width);
    this.#promptMask = like ? like.#promptMask : new Float32Array(units * prefix).fill(MASKED);
    this.#ownMask = new Float32Array(units * branches * slots).fill(MASKED);
  }

  /** Units of other caches in one of this shape. */
  static gathered(config: ModelConfig, shape: WriteShape, units: readonly UnitSource[]): LaneCache {
    const cache = new LaneCache(config, shape);
    for (const [unit, source] of units.entries()) cache.place(unit, source);
    return cache;
  }

  /** Which slots hold something: inputs of the write program. */
  get masks(): Arrays {
    return { promptMask: this.#promptMask, ownMask: this.#ownMask };
  }
  /** The other inputs, by what they are of. */
  get parts(): { readonly prompt: Arrays; readonly own: Arrays } {
    return { prompt: this.#prompt, own: this.#own };
  }
  get prompts(): PromptArrays {
    return { arrays: this.#prompt, slots: this.shape.prefix };
  }

  /** Gives a unit another prompt and its lanes other tokens. */
  place(unit: number, { prompt, lanes }: UnitSource): void {
    const { branches, slots } = this.shape;
    this.#setPrompt(unit, prompt);
    this.#ownMask.fill(MASKED, unit * branches * slots, (unit + 1) * branches * slots);
    this.#clearLanes(unit);
    for (const [branch, source] of lanes.entries())
      if (source && source.count > 0) this.#setLane(unit * branches + branch, source);
  }

  /** Adds what a step made, `new:*` [lanes, K*d], behind the `counts[lane]` tokens of each lane; -1 leaves it out. */
  append(made: Readonly<Record<string, Float32Array>>, counts: Int32Array): void {
    const heads = this.#config.num_key_value_heads;
    const d = headSize(this.#config);
    const names = cacheNames('own', this.#config);
    const news = cacheNames('new', this.#config);
    for (const [i, name] of names.entries()) {
      const [from, to] = [made[news[i]!]!, this.#own[name]!];
      for (let lane = 0; lane < counts.length; lane++) {
        if (counts[lane]! < 0) continue;
        for (let head = 0; head < heads; head++) {
          const start = (lane * heads + head) * d;
          const at = this.#start(lane, head) + counts[lane]! * d;
          for (let j = 0; j < d; j++) to[at + j] = from[start + j]!;
        }
      }
    }
    const { slots } = this.shape;
    for (let lane = 0; lane < counts.length; lane++)
      if (counts[lane]! >= 0) this.#ownMask[lane * slots + counts[lane]!] = 0;
  }

  /** The same lanes with room for more tokens. `counts` as in {@link append}: tokens of each lane. */
  grown(slots: number, counts: Int32Array): LaneCache {
    const next = new LaneCache(this.#config, { ...this.shape, slots }, this);
    for (const [lane, count] of counts.entries())
      if (count > 0) next.#setLane(lane, { from: this, lane, count });
    return next;
  }

  /** Slots without a token are 0. */
  #clearLanes(unit: number): void {
    const size = this.#config.num_key_value_heads * this.shape.branches * this.shape.slots;
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
        const start = (row * heads + head) * from.slots * d;
        const rows = from.arrays[name]!.subarray(start, start + length * d);
        target.set(rows, (unit * heads + head) * prefix * d);
      }
    this.#promptMask.fill(MASKED, unit * prefix, (unit + 1) * prefix);
    this.#promptMask.fill(0, unit * prefix, unit * prefix + length);
  }

  #setLane(lane: number, { from, lane: sourceLane, count }: LaneSource): void {
    const heads = this.#config.num_key_value_heads;
    const size = count * headSize(this.#config);
    for (const [name, target] of Object.entries(this.#own))
      for (let head = 0; head < heads; head++) {
        const start = from.#start(sourceLane, head);
        target.set(from.#own[name]!.subarray(start, start + size), this.#start(lane, head));
      }
    const { slots } = this.shape;
    this.#ownMask.fill(0, lane * slots, lane * slots + count);
  }

  /** Where a head of a lane begins in the tensors [U, K, G, C, d]. */
  #start(lane: number, head: number): number {
    const { branches, slots } = this.shape;
    const unit = Math.floor(lane / branches);
    const row = (unit * this.#config.num_key_value_heads + head) * branches + (lane % branches);
    return row * slots * headSize(this.#config);
  }
}
