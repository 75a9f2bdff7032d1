/**
 * Draws rollouts with a key/value cache. Prompts wait in a queue; as sequences end, waiting ones enter, and join a
 * batch that is being written wherever one step for both costs less than two. Batches that have become sparse shrink.
 * A sequence is a function of (weights, prompt, seed, b, g) alone: randomness is by counter, and a slot's numbers
 * depend on its neighbours by no more than rounding (docs/measurements/engine.md says how much that is).
 */

import { setImmediate } from 'node:timers/promises';
import type { Sample, SamplingOptions, TokenIds } from '../types.ts';
import { CacheBudget, slotsWithin } from './budget.ts';
import type { CachedModel } from './model.ts';
import { checkOptions } from './options.ts';
import { readPrompts, tokensRead } from './prefill.ts';
import { type Draw, isActive, makeDraw, newGroup, type Rollout, toSample } from './rollouts.ts';
import {
  advance,
  arrivalSources,
  assemble,
  batchSources,
  bestStepCost,
  choosePlan,
  joinInPlace,
  type Plan,
  type RunningBatch,
  running,
  type Sources,
  withCapacity,
} from './running-batch.ts';
import { chunks, type StepCosts, stepCost, stepCosts } from './shapes.ts';
import { stopCheck } from './stops.ts';

/** Share of the slots that must be free before prompts are read for them: reading and moving cost something too. */
const JOIN_SHARE = 1 / 8;
/** The same where the arrivals would be a batch of their own, which pays only when it is large. */
const ALONE_SHARE = 1 / 2;
/** A batch moves into a smaller shape for a step of at most this share of its cost. */
const SHRINK_SHARE = 0.8;
/** Milliseconds after which timers, signals and messages of this process get their turn. */
const YIELD_EVERY_MS = 20;

/**
 * prompts [B] -> samples [B][G].
 * @throws naming the option, its value and what is allowed; the signal's reason where it is aborted
 */
export async function sampleRollouts(
  model: CachedModel,
  prompts: readonly TokenIds[],
  options: SamplingOptions,
): Promise<Sample[][]> {
  checkOptions(options, prompts.length, model.config.vocab_size);
  const groups = prompts.map((prompt, b) => newGroup(prompt, b, options));
  if (groups.length > 0) await new Sampler(model, prompts, options, groups).run();
  return groups.map((group) => group.map(toSample));
}

/** Where arrivals go: into a batch that is there, or one of their own. */
interface Place {
  readonly host: RunningBatch | undefined;
  readonly plan: Plan;
}

/** Waiting groups whose turn it is, and the capacity that reading their prompts takes. */
interface Entry {
  readonly groups: readonly Rollout[][];
  readonly readTokens: number;
  readonly place: Place;
}

class Sampler {
  readonly #model: CachedModel;
  readonly #prompts: readonly TokenIds[];
  readonly #signal: AbortSignal | undefined;
  readonly #draw: Draw;
  readonly #costs: StepCosts;
  readonly #budget: CacheBudget;
  /** Most rollouts written at once. */
  readonly #slots: number;
  /** Rollouts of one prompt each, waiting; the next one last. */
  readonly #waiting: Rollout[][];
  #batches: RunningBatch[] = [];
  #yielded = performance.now();

  constructor(
    model: CachedModel,
    prompts: readonly TokenIds[],
    options: SamplingOptions,
    groups: readonly Rollout[][],
  ) {
    const prompt = prompts.reduce((n, { length }) => Math.max(n, length), 0);
    this.#model = model;
    this.#prompts = prompts;
    this.#signal = options.signal;
    this.#draw = makeDraw(options, stopCheck(model.endIds, options));
    this.#costs = stepCosts(model.config);
    this.#budget = new CacheBudget(model, options.maxTokens);
    this.#slots = slotsWithin(model, { ...options, prompt });
    this.#waiting = groups.flatMap((group) => chunks(group, this.#slots)).reverse();
  }

  async run(): Promise<void> {
    for (;;) {
      await this.#pause();
      await this.#refill();
      if (this.#batches.length === 0) return;
      this.#batches = this.#batches.map(withCapacity);
      for (const batch of this.#batches) await advance(this.#model, batch, this.#draw);
      this.#compact();
    }
  }

  async #pause(): Promise<void> {
    if (performance.now() - this.#yielded > YIELD_EVERY_MS) {
      await setImmediate();
      this.#yielded = performance.now();
    }
    this.#signal?.throwIfAborted();
  }

  /**
   * Lets waiting groups in: few at a time where they join a batch, many where they are better off as one of their own.
   * Their prompts are read, their first tokens drawn.
   */
  async #refill(): Promise<void> {
    while (this.#waiting.length > 0) {
      const free = this.#slots - this.#batches.reduce((n, batch) => n + running(batch).length, 0);
      if (this.#batches.length > 0 && free < JOIN_SHARE * this.#slots) return;
      const next = this.#nextEntry(free);
      if (!next || (free < ALONE_SHARE * this.#slots && !next.place.host)) return;
      const { groups, readTokens } = next;
      this.#waiting.length -= groups.length;
      const read = await readPrompts(
        this.#model,
        this.#prompts,
        groups.map((group) => group[0]!.b),
      );
      const rollouts = groups.flat();
      for (const rollout of rollouts)
        this.#draw(rollout, { kind: this.#model.readKind, row: read.get(rollout.b)!.next });
      const arrivals = rollouts.filter(isActive);
      if (arrivals.length > 0) this.#join(arrivals, readTokens, arrivalSources(arrivals, read));
      await this.#pause();
    }
  }

  /** The groups that are next in the queue, as many as so many slots take and the budget allows. */
  #nextEntry(free: number): Entry | undefined {
    for (
      let groups = this.#waitingWithin(free);
      groups.length > 0;
      groups = firstThreeQuarters(groups)
    ) {
      const readTokens = tokensRead(
        this.#prompts,
        groups.map((group) => group[0]!.b),
      );
      const place = this.#bestPlace(groups.flat(), readTokens);
      if (place) return { groups, readTokens, place };
    }
    return undefined;
  }

  #waitingWithin(free: number): Rollout[][] {
    const groups: Rollout[][] = [];
    let left = free;
    for (let at = this.#waiting.length - 1; at >= 0; at--) {
      const group = this.#waiting[at]!;
      if (group.length > left) break;
      left -= group.length;
      groups.push(group);
    }
    return groups;
  }

  /** Where arrivals cost least, of the places where their caches fit. */
  #bestPlace(arrivals: readonly Rollout[], readTokens: number): Place | undefined {
    const places = [undefined, ...this.#batches].flatMap((host) => {
      const here = host ? running(host) : [];
      const plan = this.#plan([...here, ...arrivals], host ? [host] : [], readTokens);
      if (!plan) return [];
      const more =
        bestStepCost(this.#costs, [...here, ...arrivals]) -
        (host ? bestStepCost(this.#costs, here) : 0);
      return [{ host, plan, more }];
    });
    return places.toSorted((a, b) => a.more - b.more).at(0);
  }

  /** The best shape for rollouts in place of some batches, of those that fit beside the others. */
  #plan(
    rollouts: readonly Rollout[],
    replaced: readonly RunningBatch[],
    readTokens = 0,
  ): Plan | undefined {
    const others = this.#batches.filter((batch) => !replaced.includes(batch));
    const shapes = others.map(({ cache }) => cache.shape);
    return choosePlan(this.#costs, rollouts, (shape) =>
      this.#budget.fits([...shapes, shape], readTokens),
    );
  }

  #join(arrivals: readonly Rollout[], readTokens: number, sources: Sources): void {
    // There is one still: without those that have ended at once a plan needs no more than it did.
    const { host, plan } = this.#bestPlace(arrivals, readTokens)!;
    if (!host) {
      this.#batches.push(assemble(this.#model, plan, sources));
      return;
    }
    const now = stepCost(this.#costs, host.cache.shape);
    const inPlace =
      now <= plan.cost / SHRINK_SHARE ? joinInPlace(host, arrivals, sources) : undefined;
    const joined =
      inPlace ?? assemble(this.#model, plan, new Map([...batchSources(host), ...sources]));
    this.#batches = this.#batches.map((batch) => (batch === host ? joined : batch));
  }

  /** Drops batches that are done, puts together what is cheaper together, and shrinks what has become sparse. */
  #compact(): void {
    this.#batches = this.#batches.filter((batch) => batch.slots.some(isActive));
    this.#merge();
    for (const [i, batch] of this.#batches.entries()) {
      if (running(batch).length > SHRINK_SHARE * batch.slots.length) continue;
      const plan = this.#plan(running(batch), [batch]);
      if (!plan || plan.cost > SHRINK_SHARE * stepCost(this.#costs, batch.cache.shape)) continue;
      this.#batches[i] = assemble(this.#model, plan, batchSources(batch));
    }
  }

  #merge(): void {
    for (let i = this.#batches.length - 1; i > 0; i--) {
      const [a, b] = [this.#batches[i - 1]!, this.#batches[i]!];
      const together = this.#plan([...running(a), ...running(b)], [a, b]);
      const apart = [a, b].map((batch) => stepCost(this.#costs, batch.cache.shape));
      if (!together || together.cost > SHRINK_SHARE * (apart[0]! + apart[1]!)) continue;
      const sources = new Map([...batchSources(a), ...batchSources(b)]);
      this.#batches.splice(i - 1, 2, assemble(this.#model, together, sources));
    }
  }
}

/** Three quarters of them, the first: none of one. */
function firstThreeQuarters(groups: readonly Rollout[][]): Rollout[][] {
  return groups.slice(0, Math.floor(groups.length * 0.75));
}
