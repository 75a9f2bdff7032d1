/**
 * Samples rollouts with a key/value cache and continuous batching, as vLLM does: prompts wait in a queue, and when
 * sequences end, waiting ones take their places.
 *
 * ```
 *  waiting ──read prompts──► running batch (one shape, one program)          samples
 *  [group][group]...           unit 0: prompt cache │ slot │ slot │ slot │ ──ends──► [b][g]
 *     ▲        join or         unit 1: prompt cache │ slot │ slot │ idle │
 *     └─ admit while the       running batch ...                  │
 *        caches fit            └─ each step: one token per slot ──┘ merge, shrink
 * ```
 *
 * - group: the G rollouts of one prompt (vLLM: sequence group)
 * - waiting / running: not yet admitted / being generated
 * - running batch: rollouts that take their steps together, in one shape
 * - slot: the place of one sequence in a running batch; idle when its rollout has ended
 * - unit: slots that share the cache of one prompt and read it together (vLLM: prefix sharing)
 * - capacity: tokens that the cache of a slot can hold before it must grow
 * - read / write: the program of prefill / the program of one decoding step
 * - arrivals: rollouts whose prompts have just been read
 * - cost: estimated work of a step, in multiply-adds (shapes.ts)
 *
 * A sequence depends only on (weights, prompt, seed, b, g): random numbers are counter-based, and the numbers of a slot
 * depend on its neighbors by no more than rounding (docs/measurements/engine.md states how much).
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

/** Fraction of the slots that must be idle before prompts are read for them: reading and moving have a cost. */
const JOIN_SHARE = 1 / 8;
/** As JOIN_SHARE, for arrivals that would form a batch of their own; that pays only if the batch is large. */
const ALONE_SHARE = 1 / 2;
/** A batch moves into a smaller shape if a step there costs at most this fraction. */
const SHRINK_SHARE = 0.8;
/** Interval after which control is returned to the event loop for timers, signals and messages. */
const YIELD_EVERY_MS = 20;

/**
 * Samples completions: prompts [B] -> samples [B][G].
 * @throws EngineError `config` naming the option, its value and what is allowed; the reason of an aborted signal
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

/** The place of arrivals: an existing batch (`host`), or a new one. */
interface Place {
  readonly host: RunningBatch | undefined;
  readonly plan: Plan;
}

/** Waiting groups that are admitted next, and the cache tokens that reading their prompts takes. */
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
  /** Maximum number of active rollouts. */
  readonly #slots: number;
  /** Waiting groups (rollouts of one prompt); the next one last. */
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
   * Admits waiting groups: few at a time if they join a batch, many if they form one of their own. Reads their prompts
   * and samples their first tokens.
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

  /** The next waiting groups that the idle slots and the cache budget allow. */
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

  /** The place where arrivals add the least step cost, of those where their caches fit. */
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

  /** The best shape for rollouts that replace some batches, of the shapes that fit beside the other batches. */
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
    // There still is a place: without the rollouts that ended at once a plan needs no more than before.
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

  /** Drops finished batches, merges batches that are cheaper together, and shrinks sparse ones. */
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
      const apart = stepCost(this.#costs, a.cache.shape) + stepCost(this.#costs, b.cache.shape);
      if (!together || together.cost > SHRINK_SHARE * apart) continue;
      const sources = new Map([...batchSources(a), ...batchSources(b)]);
      this.#batches.splice(i - 1, 2, assemble(this.#model, together, sources));
    }
  }
}

/** The first three quarters of the groups; none of one. */
function firstThreeQuarters(groups: readonly Rollout[][]): Rollout[][] {
  return groups.slice(0, Math.floor(groups.length * 0.75));
}
