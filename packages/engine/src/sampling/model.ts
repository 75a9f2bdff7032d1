/**
 * The model as the sampler sees it: reads prompts into caches and generates tokens from them. Runs the two programs.
 */

import { EngineError } from '../errors.ts';
import type { Runner, RunRequest } from '../executors/runner.ts';
import type { BufferMap, TypedArray } from '../executors/types.ts';
import type { EngineLimits } from '../limits.ts';
import { cacheNames, type ReadShape, type WriteShape } from '../model/cached.ts';
import { endIds, headSize, type ModelConfig } from '../model/config.ts';
import { f32, type TensorSpec } from '../ops.ts';
import { makeTensors, mapTensors, type Params, type Tensors } from '../tensors.ts';
import type { Arrays, BatchCache } from './cache.ts';
import { isLimited, type Limits } from './pick.ts';
import { type NextKind, nextWidth, readProgram, writeProgram } from './programs.ts';
import {
  madeSpec,
  nextPlaces,
  ResidentCaches,
  residentWriteProgram,
  unpackMade,
} from './resident.ts';

/** What was computed for the next token of each slot: `next`, and `new:*`. */
type Written = Tensors<'next', Float32Array>;

/** The parts of a {@link CachedModel}. */
export interface CachedModelParts {
  readonly config: ModelConfig;
  readonly runner: Runner;
  /** Weights and rotary tables. */
  readonly resident: BufferMap;
  /** Rows of the rotary tables. */
  readonly positions: number;
  readonly limits: Pick<EngineLimits, 'maxSequences' | 'cacheBytes'>;
}

/** Runs the read and write programs of one sampling call. */
export class CachedModel {
  readonly config: ModelConfig;
  readonly endIds: readonly number[];
  readonly maxSequences: number;
  readonly cacheBytes: number;
  readonly positions: number;
  readonly #parts: CachedModelParts;
  /** What a token is sampled from, after a prompt was read and after a token was generated. */
  readonly readKind: NextKind;
  readonly writtenKind: NextKind;
  readonly #sharpness: Record<string, Float32Array>;
  readonly #resident: ResidentCaches | undefined;

  constructor(parts: CachedModelParts, options: Limits & { readonly temperature: number }) {
    const { temperature } = options;
    this.config = parts.config;
    this.endIds = endIds(parts.config);
    this.maxSequences = parts.limits.maxSequences;
    this.cacheBytes = parts.limits.cacheBytes;
    this.positions = parts.positions;
    this.#parts = parts;
    const { executor } = parts.runner;
    this.#resident = executor.isApart ? new ResidentCaches(executor, parts.config) : undefined;
    this.readKind = temperature === 0 ? 'logits' : 'probabilities';
    const isWhole = temperature === 0 || isLimited(options, parts.config.vocab_size);
    this.writtenKind = executor.isApart && !isWhole ? 'block' : this.readKind;
    this.#sharpness = temperature === 0 ? {} : { sharpness: Float32Array.of(1 / temperature) };
  }

  /** Bytes of one token's keys and values. */
  get tokenBytes(): number {
    const { num_hidden_layers: layers, num_key_value_heads: kv } = this.config;
    return layers * 2 * kv * headSize(this.config) * Float32Array.BYTES_PER_ELEMENT;
  }

  /**
   * tokens, positions [B*S], `past:*`, and for the last chunk lastRows [B] -> `prompt:*`, and for the last chunk `next`
   * [B, V].
   */
  read(shape: ReadShape, inputs: Params<TypedArray>): Promise<Arrays> {
    const { prompts, length, past, isLast } = shape;
    const cache = f32(prompts, this.config.num_key_value_heads, length, headSize(this.config));
    const made: Params<TensorSpec> = makeTensors(cacheNames('prompt', this.config), () => cache);
    return this.#run({
      key: `read ${this.readKind} ${prompts}x${past}+${length}${isLast ? '' : '...'}`,
      make: () => readProgram(this.config, shape, this.readKind, this.positions),
      scratch: this.#scratch(prompts, length, past + length),
      fresh: isLast ? { ...inputs, ...this.#sharpness } : inputs,
      wanted: isLast ? { next: f32(prompts, this.config.vocab_size), ...made } : made,
    });
  }

  /**
   * tokens, positions, uniforms [slots] and the caches -> `next` [slots, nextWidth] and `new:*`. `counts`: tokens of
   * each slot.
   */
  write(
    cache: BatchCache,
    { uniforms, ...inputs }: Record<'tokens' | 'positions' | 'uniforms', TypedArray>,
    counts: Int32Array,
  ): Promise<Written> {
    const fresh = {
      ...inputs,
      ...cache.masks,
      ...this.#sharpness,
      ...(this.writtenKind === 'block' && { uniforms }),
    };
    return this.#resident
      ? this.#writeThere(this.#resident, cache, {
          ...fresh,
          places: nextPlaces(cache.shape, counts),
        })
      : this.#writeHere(cache, fresh);
  }

  /** Frees the device memory of this model's caches. */
  close(): void {
    this.#resident?.close();
  }

  #writeHere({ shape, parts }: BatchCache, fresh: Params<TypedArray>): Promise<Written> {
    const slots = shape.units * shape.branches;
    const row = f32(slots, this.config.num_key_value_heads * headSize(this.config));
    return this.#run({
      key: this.#writeKey(shape),
      make: () => writeProgram(this.config, shape, this.writtenKind, this.positions),
      scratch: this.#scratch(slots, 1, shape.prefix + shape.capacity),
      fresh: { ...fresh, ...parts.prompt, ...parts.own },
      wanted: {
        next: f32(slots, nextWidth(this.writtenKind, this.config)),
        ...makeTensors(cacheNames('new', this.config), () => row),
      },
    });
  }

  /** Bytes that a program keeps: rows of two widths, scores and their softmax, logits and theirs. */
  #scratch(sequences: number, rows: number, capacity: number): number {
    const { hidden_size: d, intermediate_size: f, vocab_size: v } = this.config;
    const scores = 2 * this.config.num_attention_heads * capacity;
    const floats = sequences * (rows * (2 * d + 2 * f + scores) + 2 * v);
    return floats * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Runs the program that updates the caches on the device. */
  async #writeThere(
    caches: ResidentCaches,
    cache: BatchCache,
    fresh: Params<TypedArray>,
  ): Promise<Written> {
    const { shape } = cache;
    const { prompt, own } = caches.take(cache);
    const { next, made } = await this.#run(
      {
        key: `${this.#writeKey(shape)} there`,
        make: () => residentWriteProgram(this.config, shape, this.writtenKind, this.positions),
        fresh,
        wanted: {
          next: f32(shape.units * shape.branches, nextWidth(this.writtenKind, this.config)),
          made: madeSpec(this.config, shape),
        },
        updated: own,
      },
      { ...prompt, ...own },
    );
    return { next, ...unpackMade(this.config, made) };
  }

  #writeKey({ units, branches, prefix, capacity }: WriteShape): string {
    return `write ${this.writtenKind} ${units}x${branches}/${prefix}+${capacity}`;
  }

  async #run<W extends string>(
    request: Omit<RunRequest<W>, 'resident'>,
    caches: BufferMap = {},
  ): Promise<Tensors<W, Float32Array>> {
    const { runner, resident } = this.#parts;
    const made = await runner.run({ ...request, resident: { ...resident, ...caches } });
    return mapTensors<W, TypedArray, Float32Array>(made, (array, name) => {
      if (array instanceof Float32Array) return array;
      throw new EngineError('internal', `${name} is not float32`);
    });
  }
}
