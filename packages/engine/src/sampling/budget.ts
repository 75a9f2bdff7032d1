/** How many rollouts may be written at once, and in which shapes, so that their caches stay within a budget. */

import { EngineError } from '../errors.ts';
import type { WriteShape } from '../model/cached.ts';
import type { CachedModel } from './model.ts';
import { BRANCH_SIZES, laneCount, slotCount } from './shapes.ts';

export interface Demand {
  readonly groupSize: number;
  /** Tokens of the longest prompt. */
  readonly prompt: number;
  readonly maxTokens: number;
}

/** A cache that moves into another shape, or grows, is there twice for a moment. */
const COPIES = 2;

/** What fits is counted at full length: nothing that was let in has to leave before its end. */
export class CacheBudget {
  readonly #slotBytes: number;
  readonly #limit: number;
  /** Slots of a lane that has come to its end. */
  readonly #slots: number;

  constructor(
    { slotBytes, cacheBytes }: Pick<CachedModel, 'slotBytes' | 'cacheBytes'>,
    maxTokens: number,
  ) {
    this.#slotBytes = slotBytes;
    this.#limit = cacheBytes;
    this.#slots = slotCount(maxTokens);
  }

  /** Bytes that cohorts of these shapes take at most, and so many slots of prompts that are read for them. */
  bytes(shapes: readonly WriteShape[], readSlots: number): number {
    const slots = shapes.reduce(
      (n, { units, branches, prefix }) => n + units * (branches * this.#slots + prefix),
      readSlots,
    );
    return COPIES * this.#slotBytes * slots;
  }

  fits(shapes: readonly WriteShape[], readSlots = 0): boolean {
    return this.bytes(shapes, readSlots) <= this.#limit;
  }
}

/**
 * How many rollouts fit in some shape. Fewer rollouts, and a group of them alone, fit then too.
 * @throws where not even one does, with what it needs
 */
export function lanesWithin(
  {
    slotBytes,
    cacheBytes,
    maxSequences,
  }: Pick<CachedModel, 'slotBytes' | 'cacheBytes' | 'maxSequences'>,
  { groupSize, prompt, maxTokens }: Demand,
): number {
  const budget = new CacheBudget({ slotBytes, cacheBytes }, maxTokens);
  const prefix = slotCount(prompt);
  const shapesOf = (lanes: number): WriteShape[] =>
    BRANCH_SIZES.map((branches) => {
      const units = Math.ceil(lanes / groupSize) * Math.ceil(Math.min(lanes, groupSize) / branches);
      return { units: laneCount(units), branches, prefix, slots: slotCount(maxTokens) };
    });
  const fits = (lanes: number) => shapesOf(lanes).some((shape) => budget.fits([shape], prefix));
  const mb = (bytes: number) => Number((bytes / 2 ** 20).toPrecision(2));
  if (!fits(1)) {
    const needs = budget.bytes(shapesOf(1).slice(-1), prefix);
    throw new EngineError(
      'memory',
      `one rollout of ${prompt} + ${maxTokens} tokens needs ${mb(needs)} MB of cache, got ${mb(cacheBytes)} MB: raise cacheBytes (engine.cacheMb), or lower maxTokens`,
    );
  }
  let lanes = maxSequences;
  while (!fits(lanes)) lanes = Math.floor(lanes * 0.75);
  return lanes;
}
