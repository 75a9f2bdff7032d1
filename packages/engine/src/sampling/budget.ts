/** How many rollouts may be generated at once, and in which shapes, within the budget of the caches. */

import { MIB } from '@cipo/support';
import { EngineError } from '../errors.ts';
import type { WriteShape } from '../model/cached.ts';
import type { CachedModel } from './model.ts';
import { BRANCH_SIZES, paddedCount, paddedTokens } from './shapes.ts';

/** What a sampling call needs per rollout. */
export interface Demand {
  readonly groupSize: number;
  /** Tokens of the longest prompt. */
  readonly prompt: number;
  readonly maxTokens: number;
}

/** A cache exists twice for a moment when it is moved into another shape or grows. */
const COPIES = 2;

/** Counts every rollout at full length, so that no admitted rollout has to be evicted. */
export class CacheBudget {
  readonly #tokenBytes: number;
  readonly #limit: number;
  /** Cache tokens of a slot at full length. */
  readonly #capacity: number;

  constructor(
    { tokenBytes, cacheBytes }: Pick<CachedModel, 'tokenBytes' | 'cacheBytes'>,
    maxTokens: number,
  ) {
    this.#tokenBytes = tokenBytes;
    this.#limit = cacheBytes;
    this.#capacity = paddedTokens(maxTokens);
  }

  /** Maximum bytes of running batches of these shapes, plus `readTokens` tokens of prompts being read for them. */
  bytes(shapes: readonly WriteShape[], readTokens: number): number {
    const capacity = shapes.reduce(
      (n, { units, branches, prefix }) => n + units * (branches * this.#capacity + prefix),
      readTokens,
    );
    return COPIES * this.#tokenBytes * capacity;
  }

  fits(shapes: readonly WriteShape[], readTokens = 0): boolean {
    return this.bytes(shapes, readTokens) <= this.#limit;
  }
}

/**
 * Maximum number of rollouts that fit in some shape. Fewer rollouts, and a single group of them, then fit too.
 * @throws EngineError `memory` with the bytes needed, if not even one rollout fits
 */
export function slotsWithin(
  {
    tokenBytes,
    cacheBytes,
    maxSequences,
  }: Pick<CachedModel, 'tokenBytes' | 'cacheBytes' | 'maxSequences'>,
  { groupSize, prompt, maxTokens }: Demand,
): number {
  const budget = new CacheBudget({ tokenBytes, cacheBytes }, maxTokens);
  const prefix = paddedTokens(prompt);
  const shapesOf = (slots: number): WriteShape[] =>
    BRANCH_SIZES.map((branches) => {
      const units = Math.ceil(slots / groupSize) * Math.ceil(Math.min(slots, groupSize) / branches);
      return { units: paddedCount(units), branches, prefix, capacity: paddedTokens(maxTokens) };
    });
  const fits = (slots: number) => shapesOf(slots).some((shape) => budget.fits([shape], prefix));
  const mb = (bytes: number) => Number((bytes / MIB).toPrecision(2));
  if (!fits(1)) {
    const needs = budget.bytes(shapesOf(1).slice(-1), prefix);
    throw new EngineError(
      'memory',
      `one rollout of ${prompt} + ${maxTokens} tokens needs ${mb(needs)} MB of cache, got ${mb(cacheBytes)} MB: raise cacheBytes (engine.cacheMb), or lower maxTokens`,
    );
  }
  let slots = maxSequences;
  while (!fits(slots)) slots = Math.floor(slots * 0.75);
  return slots;
}
