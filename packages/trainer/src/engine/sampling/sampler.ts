/**
 * Draws rollouts with a key/value cache, wave by wave: the prompts of a wave are read once each, their rollouts
 * written side by side; as sequences end, the rest moves together into a smaller shape.
 * A sequence is a function of (weights, prompt, seed, b, g) alone: randomness is by counter, and a lane's numbers
 * depend on its neighbours by no more than rounding (docs/engine.md says how much that is).
 */

import type { Sample, SamplingOptions, TokenIds } from '../../types.ts';
import type { ModelConfig } from '../config.ts';
import type { ReadShape, WriteShape } from '../model/cached.ts';
import { type Arrays, LaneCache, type PromptArrays, type UnitSource } from './cache.ts';
import { pickToken } from './pick.ts';
import { uniform } from './random.ts';
import { chooseShape, laneCount, roundUp, slotStep } from './shapes.ts';

/** What the engine does for the sampler. */
export interface CachedModel {
  readonly config: ModelConfig;
  readonly endIds: readonly number[];
  /** Lanes written at once. */
  readonly maxLanes: number;
  /** tokens, positions [B*S], lastRows [B] -> logits [B, V] and `prompt:*`. */
  read(shape: ReadShape, inputs: Record<string, Int32Array>): Promise<Arrays>;
  /** -> logits [lanes, V] and `new:*`. */
  write(shape: WriteShape, tokens: Record<string, Int32Array>, caches: Arrays): Promise<Arrays>;
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

/** A prompt read: where its cache lies, and the logits after it. */
interface ReadPrompt {
  readonly caches: PromptArrays;
  readonly row: number;
  readonly logits: Float32Array;
}

/** Tokens that one run of reading takes. */
const readRows = 2048;

/** @throws naming the option, its value and what is allowed */
export async function sampleRollouts(
  model: CachedModel,
  prompts: readonly TokenIds[],
  options: SamplingOptions,
): Promise<Sample[][]> {
  checkOptions(options);
  const groups = prompts.map((prompt, b) =>
    Array.from({ length: options.groupSize }, (_, g) => newRollout(prompt, b, g, options)),
  );
  const perWave = Math.max(1, Math.floor(model.maxLanes / options.groupSize));
  for (let start = 0; start < groups.length; start += perWave)
    await new Wave(model, prompts, options).run(groups.slice(start, start + perWave));
  return groups.map((group) => group.map(toSample));
}

function checkOptions({
  groupSize,
  maxTokens,
  temperature,
  topK = 0,
  topP = 1,
  seed,
}: SamplingOptions) {
  const whole = (x: number, least: number) => Number.isSafeInteger(x) && x >= least;
  const rules: [string, number, boolean, string][] = [
    ['groupSize', groupSize, whole(groupSize, 1), 'a whole number from 1'],
    ['maxTokens', maxTokens, whole(maxTokens, 1), 'a whole number from 1'],
    ['temperature', temperature, temperature >= 0 && temperature < Infinity, 'a number from 0'],
    ['topK', topK, whole(topK, 0), 'a whole number from 0'],
    ['topP', topP, topP > 0 && topP <= 1, 'above 0 and at most 1'],
    ['seed', seed, Number.isSafeInteger(seed), 'a whole number'],
  ];
  for (const [name, value, isRight, allowed] of rules)
    if (!isRight) throw new Error(`sampling option ${name} is ${value}, must be ${allowed}`);
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

class Wave {
  readonly #model: CachedModel;
  readonly #prompts: readonly TokenIds[];
  readonly #options: SamplingOptions;

  constructor(model: CachedModel, prompts: readonly TokenIds[], options: SamplingOptions) {
    this.#model = model;
    this.#prompts = prompts;
    this.#options = options;
  }

  /** Writes the rollouts of some prompts to their ends. */
  async run(groups: readonly (readonly Rollout[])[]): Promise<void> {
    const read = await this.#read(groups.map((group) => group[0]!.b));
    for (const rollout of groups.flat()) this.#take(rollout, read.get(rollout.b)!.logits);
    let state = this.#start(groups, read);
    while (state.lanes.some(isWriting)) {
      state = this.#fit(state);
      await this.#advance(state);
    }
  }

  /** Reads prompts; those of one run have the same rounded length, so that each one's numbers are its own. */
  async #read(indices: readonly number[]): Promise<Map<number, ReadPrompt>> {
    const read = new Map<number, ReadPrompt>();
    const byLength = Map.groupBy(indices, (b) => roundUp(this.#prompts[b]!.length, slotStep));
    for (const [length, members] of byLength) {
      const most = laneCount(Math.max(1, Math.floor(readRows / length)));
      for (let start = 0; start < members.length; start += most)
        await this.#readRun(members.slice(start, start + most), length, read);
    }
    return read;
  }

  async #readRun(
    members: readonly number[],
    length: number,
    read: Map<number, ReadPrompt>,
  ): Promise<void> {
    const prompts = laneCount(members.length);
    const tokens = new Int32Array(prompts * length);
    const positions = tokens.map((_, at) => at % length);
    const lastRows = new Int32Array(prompts);
    for (const [row, b] of members.entries()) {
      tokens.set(this.#prompts[b]!, row * length);
      lastRows[row] = row * length + this.#prompts[b]!.length - 1;
    }
    const inputs = { tokens, positions, lastRows };
    const { logits, ...arrays } = await this.#model.read({ prompts, length }, inputs);
    const width = this.#model.config.vocab_size;
    for (const [row, b] of members.entries())
      read.set(b, {
        caches: { arrays, slots: length },
        row,
        logits: logits!.subarray(row * width, (row + 1) * width),
      });
  }

  /** Lanes for the rollouts that their first token did not end. */
  #start(groups: readonly (readonly Rollout[])[], read: Map<number, ReadPrompt>): WaveState {
    const layout = chooseShape(live(groups), this.#longest(groups.flat()));
    const cache = new LaneCache(this.#model.config, layout.shape);
    for (const [unit, rollouts] of layout.units.entries()) {
      const { b, promptLength } = rollouts[0]!;
      const { caches, row } = read.get(b)!;
      cache.setPrompt(unit, caches, row, promptLength);
    }
    return { cache, lanes: spreadLanes(layout.units, layout.shape) };
  }

  #longest(rollouts: readonly Rollout[]) {
    const most = (f: (rollout: Rollout) => number) =>
      rollouts.reduce((n, r) => Math.max(n, f(r)), 0);
    return { prefix: most((r) => r.promptLength), count: most((r) => (r.stop ? 0 : r.count)) };
  }

  /** Another shape where the tokens no longer fit, or where much fewer lanes would do. */
  #fit({ cache, lanes }: WaveState): WaveState {
    const { shape } = cache;
    const running = lanes.filter(isWriting);
    const groups = [...Map.groupBy(running, (rollout) => rollout.b).values()];
    const { shape: next, units } = chooseShape(groups, this.#longest(running));
    if (next.units * next.branches > 0.75 * shape.units * shape.branches) {
      if (next.slots <= shape.slots) return { cache, lanes };
      return { cache: cache.grown(next.slots, written(lanes)), lanes };
    }
    const place = new Map(lanes.map((rollout, lane) => [rollout, lane]));
    const sources = units.map((unit): UnitSource => {
      const first = place.get(unit[0])!;
      return {
        promptUnit: Math.floor(first / shape.branches),
        promptLength: unit[0]!.promptLength,
        lanes: unit.map((rollout) => ({ lane: place.get(rollout)!, count: rollout.count - 1 })),
      };
    });
    return { cache: cache.rearranged(next, sources), lanes: spreadLanes(units, next) };
  }

  /** One more token for every lane that is still writing. */
  async #advance({ cache, lanes }: WaveState): Promise<void> {
    const tokens = new Int32Array(lanes.length);
    const positions = new Int32Array(lanes.length);
    const counts = written(lanes);
    for (const [lane, rollout] of lanes.entries()) {
      if (!isWriting(rollout)) continue;
      tokens[lane] = rollout.tokens[rollout.count - 1]!;
      positions[lane] = rollout.promptLength + rollout.count - 1;
    }
    const made = await this.#model.write(cache.shape, { tokens, positions }, cache.inputs);
    cache.append(made, counts);
    const width = this.#model.config.vocab_size;
    for (const [lane, rollout] of lanes.entries())
      if (isWriting(rollout))
        this.#take(rollout, made.logits!.subarray(lane * width, (lane + 1) * width));
  }

  /** Draws a rollout's next token. */
  #take(rollout: Rollout, logits: Float32Array): void {
    const { seed, maxTokens } = this.#options;
    const u = uniform(seed, rollout.b, rollout.g, rollout.count);
    const { token, logprob } = pickToken(logits, u, this.#options);
    rollout.tokens[rollout.count] = token;
    rollout.logprobs[rollout.count] = logprob;
    rollout.count += 1;
    if (this.#model.endIds.includes(token)) rollout.stop = 'end';
    else if (rollout.count === maxTokens) rollout.stop = 'length';
  }
}

interface WaveState {
  readonly cache: LaneCache;
  /** The rollout of each lane. */
  readonly lanes: readonly (Rollout | undefined)[];
}

/** Tokens of each lane that its cache holds, all but the last drawn; -1 for a lane that is not writing. */
const written = (lanes: WaveState['lanes']): Int32Array =>
  Int32Array.from(lanes, (rollout) => (isWriting(rollout) ? rollout.count - 1 : -1));

const isWriting = (rollout: Rollout | undefined): rollout is Rollout =>
  rollout !== undefined && rollout.stop === undefined;

const live = (groups: readonly (readonly Rollout[])[]): Rollout[][] =>
  groups.map((group) => group.filter(({ stop }) => !stop)).filter((group) => group.length > 0);

function spreadLanes(
  units: readonly (readonly Rollout[])[],
  { units: count, branches }: WriteShape,
): (Rollout | undefined)[] {
  return Array.from({ length: count * branches }, (_, lane) => {
    const unit = units[Math.floor(lane / branches)];
    return unit?.[lane % branches];
  });
}
