/** How many rollouts may be written at once, so that their caches stay within a budget even if all run to their end. */

import type { CachedModel } from './model.ts';
import { laneCount, mostBranches, slotCount } from './shapes.ts';

export interface Demand {
  readonly groupSize: number;
  /** Tokens of the longest prompt. */
  readonly prompt: number;
  readonly maxTokens: number;
}

/** A cache that moves into another shape is there twice for a moment. */
const copies = 2;

/** Bytes that the caches of so many rollouts need at most. */
export function cacheBytes(slotBytes: number, lanes: number, demand: Demand): number {
  const branches = Math.min(demand.groupSize, lanes, mostBranches);
  const units = laneCount(Math.ceil(lanes / branches));
  const perUnit = branches * slotCount(demand.maxTokens) + slotCount(demand.prompt);
  return copies * slotBytes * units * perUnit;
}

/** @throws where not even one rollout fits, with what it needs */
export function lanesWithin(model: CachedModel, demand: Demand): number {
  const needs = (lanes: number) => cacheBytes(model.slotBytes, lanes, demand);
  const mb = (bytes: number) => Number((bytes / 2 ** 20).toPrecision(2));
  if (needs(1) > model.cacheBytes)
    throw new Error(
      `one rollout of ${demand.prompt} + ${demand.maxTokens} tokens needs ${mb(needs(1))} MB of cache, cacheMb allows ${mb(model.cacheBytes)}: raise it, or lower maxTokens`,
    );
  let lanes = model.maxLanes;
  while (needs(lanes) > model.cacheBytes) lanes = Math.floor(lanes * 0.75);
  return Math.max(1, lanes);
}
