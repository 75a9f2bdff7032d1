/** Which of a few shapes a wave of rollouts is written in: a shape is a compiled graph, an idle lane is wasted work. */

import type { WriteShape } from '../model/cached.ts';

/** Slots of caches come in multiples of this: as many floats as a vector register holds, so that sums have no rest. */
export const slotStep = 16;
/** A product of one row takes another path in BLAS and rounds otherwise, so there are always two. */
const fewestLanes = 2;

export const roundUp = (n: number, step: number): number => Math.max(1, Math.ceil(n / step)) * step;

/** Rounds a number of prompts or units up: powers of two, and from 8 on halfway between them. */
export function laneCount(n: number): number {
  if (n <= fewestLanes) return fewestLanes;
  const power = 2 ** Math.ceil(Math.log2(n));
  return power > 8 && n <= 0.75 * power ? 0.75 * power : power;
}

export interface Lengths {
  /** Tokens of the longest prompt, and of the longest sequence written so far. */
  readonly prefix: number;
  readonly count: number;
}

/** Lanes of a unit. */
const branchSizes = [16, 8, 4, 2, 1];
/** What reading a prompt costs, in lanes: with few lanes to a unit the prompts' caches weigh more. */
const unitCost = 0.5;

/** Splits groups into units of one size, the one that wastes least, and rounds everything up. */
export function chooseShape<R>(
  groups: readonly (readonly R[])[],
  lengths: Lengths,
): { readonly shape: WriteShape; readonly units: readonly (readonly R[])[] } {
  const cost = (branches: number) => {
    const units = groups.reduce((n, group) => n + Math.ceil(group.length / branches), 0);
    return laneCount(units) * (branches + unitCost);
  };
  const branches = branchSizes.reduce((best, size) => (cost(size) < cost(best) ? size : best));
  const units = groups.flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / branches) }, (_, i) =>
      group.slice(i * branches, (i + 1) * branches),
    ),
  );
  const shape = {
    units: laneCount(units.length),
    branches,
    prefix: roundUp(lengths.prefix, slotStep),
    slots: roundUp(lengths.count, slotStep),
  };
  return { shape, units };
}
