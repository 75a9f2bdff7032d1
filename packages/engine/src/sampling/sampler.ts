/**
 * Draws rollouts with a key/value cache. Prompts wait in a queue; as sequences end, waiting ones enter, and join a
 * cohort that is being written wherever one step for both costs less than two. Cohorts that have become sparse shrink.
 * A sequence is a function of (weights, prompt, seed, b, g) alone: randomness is by counter, and a lane's numbers
 * depend on its neighbours by no more than rounding (docs/measurements/engine.md says how much that is).
 */

import { setImmediate } from 'node:timers/promises';
import type { Sample, SamplingOptions, TokenIds } from '../types.ts';
import { CacheBudget, lanesWithin } from './budget.ts';
import {
  advance,
  arrivalSources,
  assemble,
  type Cohort,
  cohortSources,
  joinedInPlace,
  type Plan,
  planFor,
  running,
  type Sources,
  withRoom,
  worth,
} from './cohort.ts';
import type { CachedModel } from './model.ts';
import { checkOptions } from './options.ts';
import { readPrompts, slotsRead } from './prefill.ts';
import { type Draw, drawing, isWriting, newGroup, type Rollout, toSample } from './rollouts.ts';
import { chunks, type StepCosts, stepCost, stepCosts } from './shapes.ts';
import { stopCheck } from './stops.ts';

/** Share of the lanes that must be free before prompts are read for them: reading and moving cost something too. */
const JOIN_SHARE = 1 / 8;
/** The same where the arrivals would be a cohort of their own, which pays only when it is large. */
const ALONE_SHARE = 1 / 2;
/** A cohort moves into a smaller shape for a step of at most this share of its cost. */
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

/** Where arrivals go: into a cohort that is there, or one of their own. */
interface Place {
  readonly host: Cohort | undefined;
  readonly plan: Plan;
}

/** Waiting groups whose turn it is, and the slots that reading their prompts takes. */
interface Entry {
  readonly groups: readonly Rollout[][];
  readonly readSlots: number;
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
  readonly #lanes: number;
  /** Rollouts of one prompt each, waiting; the next one last. */
  readonly #waiting: Rollout[][];
  #cohorts: Cohort[] = [];
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
    this.#draw = drawing(options, stopCheck(model.endIds, options));
    this.#costs = stepCosts(model.config);
    this.#budget = new CacheBudget(model, options.maxTokens);
    this.#lanes = lanesWithin(model, { ...options, prompt });
    this.#waiting = groups.flatMap((group) => chunks(group, this.#lanes)).reverse();
  }

  async run(): Promise<void> {
    for (;;) {
      await this.#pause();
      await this.#refill();
      if (this.#cohorts.length === 0) return;
      this.#cohorts = this.#cohorts.map(withRoom);
      for (const cohort of this.#cohorts) await advance(this.#model, cohort, this.#draw);
      this.#tidy();
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
   * Lets waiting groups in: few at a time where they join a cohort, many where they are better off as one of their own.
   * Their prompts are read, their first tokens drawn.
   */
  async #refill(): Promise<void> {
    while (this.#waiting.length > 0) {
      const free = this.#lanes - this.#cohorts.reduce((n, cohort) => n + running(cohort).length, 0);
      if (this.#cohorts.length > 0 && free < JOIN_SHARE * this.#lanes) return;
      const next = this.#next(free);
      if (!next || (free < ALONE_SHARE * this.#lanes && !next.place.host)) return;
      const { groups, readSlots } = next;
      this.#waiting.length -= groups.length;
      const read = await readPrompts(
        this.#model,
        this.#prompts,
        groups.map((group) => group[0]!.b),
      );
      const rollouts = groups.flat();
      for (const rollout of rollouts)
        this.#draw(rollout, { kind: this.#model.readKind, row: read.get(rollout.b)!.next });
      const arrivals = rollouts.filter(isWriting);
      if (arrivals.length > 0) this.#join(arrivals, readSlots, arrivalSources(arrivals, read));
      await this.#pause();
    }
  }

  /** The groups that are next in the queue, as many as so many lanes take and the budget allows. */
  #next(free: number): Entry | undefined {
    for (let groups = this.#first(free); groups.length > 0; groups = mostOf(groups)) {
      const readSlots = slotsRead(
        this.#prompts,
        groups.map((group) => group[0]!.b),
      );
      const place = this.#place(groups.flat(), readSlots);
      if (place) return { groups, readSlots, place };
    }
    return undefined;
  }

  #first(free: number): Rollout[][] {
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
  #place(arrivals: readonly Rollout[], readSlots: number): Place | undefined {
    const places = [undefined, ...this.#cohorts].flatMap((host) => {
      const here = host ? running(host) : [];
      const plan = this.#plan([...here, ...arrivals], host ? [host] : [], readSlots);
      if (!plan) return [];
      const more =
        worth(this.#costs, [...here, ...arrivals]) - (host ? worth(this.#costs, here) : 0);
      return [{ host, plan, more }];
    });
    return places.toSorted((a, b) => a.more - b.more).at(0);
  }

  /** The best shape for rollouts in place of some cohorts, of those that fit beside the others. */
  #plan(
    rollouts: readonly Rollout[],
    replaced: readonly Cohort[],
    readSlots = 0,
  ): Plan | undefined {
    const others = this.#cohorts.filter((cohort) => !replaced.includes(cohort));
    const shapes = others.map(({ cache }) => cache.shape);
    return planFor(this.#costs, rollouts, (shape) =>
      this.#budget.fits([...shapes, shape], readSlots),
    );
  }

  #join(arrivals: readonly Rollout[], readSlots: number, sources: Sources): void {
    // There is one still: without those that have ended at once a plan needs no more than it did.
    const { host, plan } = this.#place(arrivals, readSlots)!;
    if (!host) {
      this.#cohorts.push(assemble(this.#model, plan, sources));
      return;
    }
    const now = stepCost(this.#costs, host.cache.shape);
    const inPlace =
      now <= plan.cost / SHRINK_SHARE ? joinedInPlace(host, arrivals, sources) : undefined;
    const joined =
      inPlace ?? assemble(this.#model, plan, new Map([...cohortSources(host), ...sources]));
    this.#cohorts = this.#cohorts.map((cohort) => (cohort === host ? joined : cohort));
  }

  /** Drops cohorts that are done, puts together what is cheaper together, and shrinks what has become sparse. */
  #tidy(): void {
    this.#cohorts = this.#cohorts.filter((cohort) => cohort.lanes.some(isWriting));
    this.#merge();
    for (const [i, cohort] of this.#cohorts.entries()) {
      if (running(cohort).length > SHRINK_SHARE * cohort.lanes.length) continue;
      const plan = this.#plan(running(cohort), [cohort]);
      if (!plan || plan.cost > SHRINK_SHARE * stepCost(this.#costs, cohort.cache.shape)) continue;
      this.#cohorts[i] = assemble(this.#model, plan, cohortSources(cohort));
    }
  }

  #merge(): void {
    for (let i = this.#cohorts.length - 1; i > 0; i--) {
      const [a, b] = [this.#cohorts[i - 1]!, this.#cohorts[i]!];
      const together = this.#plan([...running(a), ...running(b)], [a, b]);
      const apart = [a, b].map((cohort) => stepCost(this.#costs, cohort.cache.shape));
      if (!together || together.cost > SHRINK_SHARE * (apart[0]! + apart[1]!)) continue;
      const sources = new Map([...cohortSources(a), ...cohortSources(b)]);
      this.#cohorts.splice(i - 1, 2, assemble(this.#model, together, sources));
    }
  }
}

/** Three quarters of them, the first: none of one. */
function mostOf(groups: readonly Rollout[][]): Rollout[][] {
  return groups.slice(0, Math.floor(groups.length * 0.75));
}
