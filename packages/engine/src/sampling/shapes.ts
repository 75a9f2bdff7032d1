/**
 * Chooses the shape of a running batch by the cost of a step. A shape is a compiled graph, an idle slot is wasted work,
 * and a second batch reads the weights a second time.
 */

import type { WriteShape } from '../model/cached.ts';
import { headSize, type ModelConfig } from '../model/config.ts';

/** Caches hold multiples of this many tokens: the floats of a vector register, so that sums have no remainder. */
const TOKEN_STEP = 16;

/** Rounds up to 2^n or 1.5 * 2^n: 1, 2, 3, 4, 6, 8, 12, ... */
export function paddedCount(n: number): number {
  const power = 2 ** Math.ceil(Math.log2(Math.max(1, n)));
  return power > 2 && n <= 0.75 * power ? 0.75 * power : power;
}

/** Cache capacity for this many tokens: 16, 32, 48, 64, 96, 128, ... */
export function paddedTokens(n: number): number {
  return TOKEN_STEP * paddedCount(Math.ceil(n / TOKEN_STEP));
}

export interface Lengths {
  /** Tokens of the longest prompt, and of the longest completion so far. */
  readonly prefix: number;
  readonly count: number;
}

/** Possible numbers of slots in a unit. */
export const BRANCH_SIZES: readonly number[] = [16, 8, 4, 2, 1];

/** Costs of a step, in multiply-adds or what takes as long. */
export interface StepCosts {
  /** Per step: all weights are read once, and every operation is started. */
  readonly step: number;
  /** Per slot: the linear layers. */
  readonly slot: number;
  /** Per cached token of a slot or unit. */
  readonly token: number;
  /** Per query and token of its unit's prompt. */
  readonly query: number;
}

/** Reading all weights takes about as long as the work of this many slots. */
const WEIGHT_SLOTS = 12;
/** Cost of starting the operations of a layer, about 46. */
const LAYER_START = 6e6;
/** A cached float is read for one or two multiply-adds, and takes as long as this many of a large matrix product. */
const FLOAT_COST = 10;

/** The costs of a step of a model. */
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

/** The cost of a step in a shape. */
export function stepCost({ step, slot, token, query }: StepCosts, shape: WriteShape): number {
  const { units, branches, prefix, capacity } = shape;
  const slots = units * branches;
  return step + slot * slots + token * (slots * capacity + units * prefix) + query * slots * prefix;
}

/** A shape, its units and its cost. */
export interface ChosenShape<R> {
  readonly shape: WriteShape;
  /** The groups, split into units of at most `shape.branches`. */
  readonly units: readonly (readonly R[])[];
  readonly cost: number;
}

export type Fits = (shape: WriteShape) => boolean;

/**
 * Splits groups into units of one size: the fitting size with the lowest step cost, everything rounded up; undefined if
 * none fits.
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

/** Lowest cost of a step without padding slots: the cost of rollouts that come and go. */
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

/** Splits a list into parts of at most `size` items. */
export function chunks<R>(items: readonly R[], size: number): R[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}
