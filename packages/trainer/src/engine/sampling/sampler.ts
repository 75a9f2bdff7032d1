/**
 * Draws rollouts with a key/value cache. Each prompt is read once and its cache copied to its rollouts' lanes;
 * a lane whose sequence ends takes the next rollout; when none is left the batch shrinks.
 * A sequence is a function of (weights, prompt, seed, b, g) alone: randomness is by counter, and a lane's numbers
 * do not depend on its neighbours (docs/engine.md says how that was checked).
 */

import type { Sample, SamplingOptions, TokenIds } from '../../types.ts';
import type { ModelConfig } from '../config.ts';
import type { Executor } from '../executors/types.ts';
import type { DecodeShape } from '../programs.ts';
import { LaneCache } from './lanes.ts';
import { pickToken } from './pick.ts';
import { uniform } from './random.ts';

/** Runs one step of the decode program: tokens [B*S], last [B] -> logits [B, V]. */
export type DecodeStep = (
  shape: DecodeShape,
  cache: LaneCache,
  tokens: Int32Array,
  last: Int32Array,
) => Promise<Float32Array>;

export interface SamplerContext {
  readonly config: ModelConfig;
  readonly executor: Executor;
  readonly step: DecodeStep;
  /** Lanes that run at once. */
  readonly maxLanes: number;
  readonly endIds: readonly number[];
}

/** A rollout being written. */
interface Rollout {
  readonly b: number;
  readonly g: number;
  readonly tokens: Int32Array;
  readonly logprobs: Float32Array;
  readonly promptLength: number;
  count: number;
  stop: Sample['stop'] | undefined;
}

/** Prompts read in one run have lengths of one bucket, so that a prompt's numbers depend on itself alone. */
const prefillStep = 16;
const prefillRows = 2048;
/** The smallest batch: a product of one row takes another path in BLAS and rounds otherwise. */
const fewestLanes = 2;
const laneSizes = [2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];

const roundUp = (n: number, step: number): number => Math.ceil(n / step) * step;

/** The number of lanes compiled for at least n. */
export const laneSize = (n: number): number => laneSizes.find((size) => size >= n) ?? n;

export async function sampleRollouts(
  context: SamplerContext,
  prompts: readonly TokenIds[],
  options: SamplingOptions,
): Promise<Sample[][]> {
  const rollouts = prompts.map((prompt, b) =>
    Array.from({ length: options.groupSize }, (_, g) => newRollout(prompt, b, g, options)),
  );
  const run = new SamplingRun(context, prompts, options);
  await run.finish(rollouts);
  return rollouts.map((group) => group.map(toSample));
}

const newRollout = (prompt: TokenIds, b: number, g: number, options: SamplingOptions): Rollout => ({
  b,
  g,
  tokens: new Int32Array(options.maxTokens),
  logprobs: new Float32Array(options.maxTokens),
  promptLength: prompt.length,
  count: 0,
  stop: undefined,
});

const toSample = ({ tokens, logprobs, count, stop }: Rollout): Sample => ({
  tokens: tokens.slice(0, count),
  logprobs: logprobs.slice(0, count),
  stop: stop ?? 'length',
});

/** A prompt read: its cache lane and the logits after it. */
interface ReadPrompt {
  readonly cache: LaneCache;
  readonly lane: number;
  readonly logits: Float32Array;
}

class SamplingRun {
  readonly #context: SamplerContext;
  readonly #prompts: readonly TokenIds[];
  readonly #options: SamplingOptions;
  readonly #cache: LaneCache;
  readonly #slots: number;
  /** The rollout of each lane. */
  #lanes: (Rollout | undefined)[];

  constructor(context: SamplerContext, prompts: readonly TokenIds[], options: SamplingOptions) {
    this.#context = context;
    this.#prompts = prompts;
    this.#options = options;
    const longest = Math.max(1, ...prompts.map((prompt) => prompt.length));
    this.#slots = roundUp(longest + options.maxTokens, 32);
    const wanted = Math.min(context.maxLanes, prompts.length * options.groupSize);
    const lanes = laneSize(Math.max(fewestLanes, wanted));
    this.#cache = new LaneCache(context.executor, context.config, lanes, this.#slots);
    this.#lanes = Array.from({ length: lanes });
  }

  /** Writes every rollout to its end. */
  async finish(groups: readonly Rollout[][]): Promise<void> {
    const waiting = groups.flat();
    try {
      while (waiting.length > 0 || this.#live() > 0) {
        await this.#admit(waiting);
        if (waiting.length === 0) await this.#shrink();
        if (this.#live() > 0) await this.#advance();
      }
    } finally {
      this.#cache.dispose();
    }
  }

  #live(): number {
    return this.#lanes.reduce((n, rollout) => n + (rollout ? 1 : 0), 0);
  }

  /** Gives free lanes to waiting rollouts, a good number at a time: reading prompts one by one is slow. */
  async #admit(waiting: Rollout[]): Promise<void> {
    const free = this.#lanes.length - this.#live();
    const worthwhile = Math.min(waiting.length, Math.ceil(this.#lanes.length / 4));
    if (waiting.length === 0 || free < worthwhile) return;
    const admitted = waiting.splice(0, free);
    const read = await this.#read([...new Set(admitted.map((rollout) => rollout.b))]);
    for (const rollout of admitted) this.#take(rollout, read.get(rollout.b)!.logits);
    await this.#place(admitted, read);
    for (const { cache } of read.values()) cache.dispose();
  }

  /** Reads prompts, batches of equal bucket together. */
  async #read(indices: readonly number[]): Promise<Map<number, ReadPrompt>> {
    const byLength = Map.groupBy(indices, (b) => roundUp(this.#prompts[b]!.length, prefillStep));
    const read = new Map<number, ReadPrompt>();
    for (const [length, members] of byLength) {
      const most = Math.max(fewestLanes, Math.floor(prefillRows / length));
      for (let start = 0; start < members.length; start += most)
        await this.#readBatch(members.slice(start, start + most), length, read);
    }
    return read;
  }

  async #readBatch(
    members: readonly number[],
    length: number,
    read: Map<number, ReadPrompt>,
  ): Promise<void> {
    const { config, executor, step } = this.#context;
    const lanes = laneSize(Math.max(fewestLanes, members.length));
    const cache = new LaneCache(executor, config, lanes, length);
    const tokens = new Int32Array(lanes * length);
    const last = new Int32Array(lanes);
    for (const [lane, b] of members.entries()) {
      tokens.set(this.#prompts[b]!, lane * length);
      last[lane] = this.#prompts[b]!.length - 1;
    }
    const logits = await step({ lanes, length, slots: length }, cache, tokens, last);
    const width = config.vocab_size;
    for (const [lane, b] of members.entries())
      read.set(b, { cache, lane, logits: logits.slice(lane * width, (lane + 1) * width) });
  }

  /** Copies the caches of the prompts read into free lanes. */
  async #place(rollouts: readonly Rollout[], read: Map<number, ReadPrompt>): Promise<void> {
    const moves = new Map<LaneCache, { fromLane: number; toLane: number; length: number }[]>();
    let toLane = 0;
    for (const rollout of rollouts) {
      if (rollout.stop) continue;
      while (this.#lanes[toLane]) toLane++;
      this.#lanes[toLane] = rollout;
      const { cache, lane } = read.get(rollout.b)!;
      const known = moves.get(cache) ?? [];
      known.push({ fromLane: lane, toLane, length: rollout.promptLength });
      moves.set(cache, known);
    }
    for (const [source, list] of moves) await this.#cache.copy(source, list);
  }

  /** Fewer lanes once they suffice: the sequences above move into holes below. */
  async #shrink(): Promise<void> {
    const size = laneSize(Math.max(fewestLanes, this.#live()));
    if (size >= this.#lanes.length) return;
    const moves = [];
    let toLane = 0;
    for (let fromLane = size; fromLane < this.#lanes.length; fromLane++) {
      const rollout = this.#lanes[fromLane];
      if (!rollout) continue;
      while (this.#lanes[toLane]) toLane++;
      this.#lanes[toLane] = rollout;
      moves.push({ fromLane, toLane, length: rollout.promptLength + rollout.count });
    }
    await this.#cache.copy(this.#cache, moves);
    this.#cache.shrink(size);
    this.#lanes = this.#lanes.slice(0, size);
  }

  /** One more token for every lane. */
  async #advance(): Promise<void> {
    const lanes = this.#lanes.length;
    const tokens = new Int32Array(lanes);
    const last = new Int32Array(lanes);
    for (const [lane, rollout] of this.#lanes.entries()) {
      if (!rollout) continue;
      tokens[lane] = rollout.tokens[rollout.count - 1]!;
      last[lane] = rollout.promptLength + rollout.count - 1;
    }
    const shape = { lanes, length: 1, slots: this.#slots };
    const logits = await this.#context.step(shape, this.#cache, tokens, last);
    const width = this.#context.config.vocab_size;
    for (const [lane, rollout] of this.#lanes.entries()) {
      if (!rollout) continue;
      this.#take(rollout, logits.subarray(lane * width, (lane + 1) * width));
      if (rollout.stop) this.#lanes[lane] = undefined;
    }
  }

  /** Draws a rollout's next token. */
  #take(rollout: Rollout, logits: Float32Array): void {
    const { seed, maxTokens } = this.#options;
    const u = uniform(seed, rollout.b, rollout.g, rollout.count);
    const { token, logprob } = pickToken(logits, u, this.#options);
    rollout.tokens[rollout.count] = token;
    rollout.logprobs[rollout.count] = logprob;
    rollout.count += 1;
    if (this.#context.endIds.includes(token)) rollout.stop = 'end';
    else if (rollout.count === maxTokens) rollout.stop = 'length';
  }
}
