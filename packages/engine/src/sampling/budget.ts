/** How many rollouts may be written at once, and in which shapes, so that their caches stay within a budget. */

import { EngineError } from '../errors.ts';
import type { WriteShape } from '../model/cached.ts';
import type { CachedModel } from './model.ts';
import { BRANCH_SIZES, paddedCount, paddedTokens } from './shapes.ts';

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
  readonly #tokenBytes: number;
  readonly #limit: number;
  /** Tokens of a slot that has come to its end. */
  readonly #capacity: number;

  constructor(
    { tokenBytes, cacheBytes }: Pick<CachedModel, 'tokenBytes' | 'cacheBytes'>,
    maxTokens: number,
  ) {
    this.#tokenBytes = tokenBytes;
    this.#limit = cacheBytes;
    this.#capacity = paddedTokens(maxTokens);
  }

  /** Bytes that batches of these shapes take at most, and so many capacity of prompts that are read for them. */
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
 * How many rollouts fit in some shape. Fewer rollouts, and a group of them alone, fit then too.
 * @throws where not even one does, with what it needs
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
  const mb = (bytes: number) => Number((bytes / 2 ** 20).toPrecision(2));
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
