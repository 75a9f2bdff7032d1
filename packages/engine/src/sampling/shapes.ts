/**
 * Which of a few shapes rollouts are written in, and what a step of one costs: a shape is a compiled graph, an idle
 * slot is wasted work, a second set of slots reads the weights a second time.
 */

import type { WriteShape } from '../model/cached.ts';
import { headSize, type ModelConfig } from '../model/config.ts';

/** Tokens of caches come in multiples of this: as many floats as a vector register holds, so that sums have no rest. */
const TOKEN_STEP = 16;

/** Rounds up to a power of two or one and a half of one: 1, 2, 3, 4, 6, 8, 12, ... */
export function paddedCount(n: number): number {
  const power = 2 ** Math.ceil(Math.log2(Math.max(1, n)));
  return power > 2 && n <= 0.75 * power ? 0.75 * power : power;
}

/** Token places for so many tokens: 16, 32, 48, 64, 96, 128, ... */
export function paddedTokens(n: number): number {
  return TOKEN_STEP * paddedCount(Math.ceil(n / TOKEN_STEP));
}

export interface Lengths {
  /** Tokens of the longest prompt, and of the longest sequence written so far. */
  readonly prefix: number;
  readonly count: number;
}

/** Slots of a unit. */
export const BRANCH_SIZES: readonly number[] = [16, 8, 4, 2, 1];

/** Multiply-adds of a step, or what takes as long as so many. */
export interface StepCosts {
  /** Of a step, however many slots it has: all weights are read once, and every operation is started. */
  readonly step: number;
  /** Of a slot in the linear layers. */
  readonly slot: number;
  /** Of a token that a slot or a unit has for itself. */
  readonly token: number;
  /** Of a query with a token of its unit's prompt. */
  readonly query: number;
}

/** Reading all weights takes about as long as this many slots' own work. */
const WEIGHT_SLOTS = 12;
/** Starting the operations of a layer, some 46. */
const LAYER_START = 6e6;
/** A float of a cache is read for one or two multiply-adds, and takes as long as so many of a product of many rows. */
const FLOAT_COST = 10;

export function stepCosts(config: ModelConfig): StepCosts {
  const { hidden_size: d, num_hidden_layers: layers, num_attention_heads: heads } = config;
  const width = headSize(config);
  const kv = config.num_key_value_heads;
  const slot =
    layers * (d * width * 2 * (heads + kv) + 3 * d * config.intermediate_size) +
    d * config.vocab_size;
  return {
    step: WEIGHT_SLOTS * slot + layers * LAYER_START,
    slot,
    token: FLOAT_COST * layers * 2 * kv * width,
    query: layers * 2 * heads * width,
  };
}

export function stepCost({ step, slot, token, query }: StepCosts, shape: WriteShape): number {
  const { units, branches, prefix, capacity } = shape;
  const slots = units * branches;
  return step + slot * slots + token * (slots * capacity + units * prefix) + query * slots * prefix;
}

export interface ChosenShape<R> {
  readonly shape: WriteShape;
  /** The groups, split into parts of at most `shape.branches`. */
  readonly units: readonly (readonly R[])[];
  readonly cost: number;
}

export type Fits = (shape: WriteShape) => boolean;

/**
 * Splits groups into units of one size, of those that fit the one whose step costs least, and rounds everything up;
 * undefined where none fits.
 */
export function chooseShape<R>(
  costs: StepCosts,
  groups: readonly (readonly R[])[],
  lengths: Lengths,
  fits: Fits,
): ChosenShape<R> | undefined {
  const chosen = cheapest(stepShapes(groups, lengths, paddedCount).filter(fits), costs);
  return (
    chosen && {
      ...chosen,
      units: groups.flatMap((group) => chunks(group, chosen.shape.branches)),
    }
  );
}

/** Of a step without slots that only fill up a shape: what rollouts cost as they come and go. */
export function unpaddedStepCost(
  costs: StepCosts,
  groups: readonly (readonly unknown[])[],
  lengths: Lengths,
): number {
  return cheapest(
    stepShapes(groups, lengths, (units) => units),
    costs,
  )!.cost;
}

function stepShapes(
  groups: readonly (readonly unknown[])[],
  lengths: Lengths,
  round: (units: number) => number,
): WriteShape[] {
  const [prefix, capacity] = [paddedTokens(lengths.prefix), paddedTokens(lengths.count)];
  return BRANCH_SIZES.map((branches) => {
    const units = groups.reduce((n, group) => n + Math.ceil(group.length / branches), 0);
    return { units: round(units), branches, prefix, capacity };
  });
}

function cheapest(shapes: readonly WriteShape[], costs: StepCosts) {
  const priced = shapes.map((shape) => ({ shape, cost: stepCost(costs, shape) }));
  return priced.toSorted((a, b) => a.cost - b.cost).at(0);
}

export function chunks<R>(items: readonly R[], size: number): R[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}
