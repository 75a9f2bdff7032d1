/**
 * Draws rollouts with a key/value cache. Prompts wait in a queue; as sequences end, waiting ones enter, and join a
 * cohort that is being written wherever one step for both costs less than two. Cohorts that have become sparse shrink.
 * A sequence is a function of (weights, prompt, seed, b, g) alone: randomness is by counter, and a lane's numbers
 * depend on its neighbours by no more than rounding (docs/engine.md says how much that is).
 */

import { setImmediate } from 'node:timers/promises';
import type { Sample, SamplingOptions, TokenIds } from '../../types.ts';
import { lanesWithin } from './budget.ts';
import {
  advance,
  arrivalSources,
  assemble,
  type Cohort,
  cohortSources,
  joinedInPlace,
  planFor,
  running,
  type Sources,
  withRoom,
  worth,
} from './cohort.ts';
import type { CachedModel } from './model.ts';
import { checkOptions } from './options.ts';
import { readPrompts } from './prefill.ts';
import { type Draw, drawing, isWriting, newGroup, type Rollout, toSample } from './rollouts.ts';
import { chunks, type StepCosts, stepCost, stepCosts } from './shapes.ts';
import { stopCheck } from './stops.ts';

/** Share of the lanes that must be free before prompts are read for them: reading and moving cost something too. */
const joinShare = 1 / 8;
/** The same where the arrivals would be a cohort of their own, which pays only when it is large. */
const aloneShare = 1 / 2;
/** A cohort moves into a smaller shape for a step of at most this share of its cost. */
const shrinkShare = 0.8;
/** Milliseconds after which timers, signals and messages of this process get their turn. */
const yieldEveryMs = 20;

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

class Sampler {
  readonly #model: CachedModel;
  readonly #prompts: readonly TokenIds[];
  readonly #signal: AbortSignal | undefined;
  readonly #draw: Draw;
  readonly #costs: StepCosts;
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
    if (performance.now() - this.#yielded > yieldEveryMs) {
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
      if (this.#cohorts.length > 0 && free < joinShare * this.#lanes) return;
      const groups = this.#next(free);
      if (groups.length === 0) return;
      if (free < aloneShare * this.#lanes && !this.#host(groups.flat())) return;
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
      if (arrivals.length > 0) this.#join(arrivals, arrivalSources(arrivals, read));
      await this.#pause();
    }
  }

  /** The groups that are next in the queue, as many as so many lanes take. */
  #next(free: number): Rollout[][] {
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

  /** The cohort that arrivals join at least cost; undefined where they cost less by themselves. */
  #host(arrivals: readonly Rollout[]): Cohort | undefined {
    const more = this.#cohorts.map((cohort) => {
      const here = running(cohort);
      return worth(this.#costs, [...here, ...arrivals]) - worth(this.#costs, here);
    });
    const least = Math.min(...more);
    return least < worth(this.#costs, arrivals) ? this.#cohorts[more.indexOf(least)] : undefined;
  }

  #join(arrivals: readonly Rollout[], sources: Sources): void {
    const host = this.#host(arrivals);
    if (!host) {
      this.#cohorts.push(assemble(this.#model, planFor(this.#costs, arrivals), sources));
      return;
    }
    const together = planFor(this.#costs, [...running(host), ...arrivals]);
    const now = stepCost(this.#costs, host.cache.shape);
    const inPlace =
      now <= together.cost / shrinkShare ? joinedInPlace(host, arrivals, sources) : undefined;
    const joined =
      inPlace ?? assemble(this.#model, together, new Map([...cohortSources(host), ...sources]));
    this.#cohorts = this.#cohorts.map((cohort) => (cohort === host ? joined : cohort));
  }

  /** Drops cohorts that are done, puts together what is cheaper together, and shrinks what has become sparse. */
  #tidy(): void {
    this.#cohorts = this.#cohorts.filter((cohort) => cohort.lanes.some(isWriting));
    this.#merge();
    this.#cohorts = this.#cohorts.map((cohort) => {
      if (running(cohort).length > shrinkShare * cohort.lanes.length) return cohort;
      const plan = planFor(this.#costs, running(cohort));
      if (plan.cost > shrinkShare * stepCost(this.#costs, cohort.cache.shape)) return cohort;
      return assemble(this.#model, plan, cohortSources(cohort));
    });
  }

  #merge(): void {
    for (let i = this.#cohorts.length - 1; i > 0; i--) {
      const [a, b] = [this.#cohorts[i - 1]!, this.#cohorts[i]!];
      const together = planFor(this.#costs, [...running(a), ...running(b)]);
      const apart = [a, b].map((cohort) => stepCost(this.#costs, cohort.cache.shape));
      if (together.cost > shrinkShare * (apart[0]! + apart[1]!)) continue;
      const sources = new Map([...cohortSources(a), ...cohortSources(b)]);
      this.#cohorts.splice(i - 1, 2, assemble(this.#model, together, sources));
    }
  }
}
