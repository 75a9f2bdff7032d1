/**
 * A running batch: rollouts that are generated together in one shape. Assembles batches from others and from prompts
 * just read, shrinks and grows them, and runs their steps. sampler.ts decides when.
 */

import {
  BatchCache,
  type BatchCache as Cache,
  type PromptSource,
  type SlotSource,
  type UnitSource,
} from './cache.ts';
import type { CachedModel } from './model.ts';
import type { ReadPrompt } from './prefill.ts';
import { nextWidth } from './programs.ts';
import { type Draw, isActive, nextUniform, type Rollout } from './rollouts.ts';
import {
  type ChosenShape,
  chooseShape,
  chunks,
  type Fits,
  type Lengths,
  paddedTokens,
  type StepCosts,
  unpaddedStepCost,
} from './shapes.ts';

/** Rollouts that are generated together, and their caches. */
export interface RunningBatch {
  readonly cache: Cache;
  /** The rollout of each slot; a slot whose rollout has ended is idle. */
  readonly slots: readonly (Rollout | undefined)[];
}

/** Where the prompt of a rollout is cached, and its own tokens if there are any. */
interface Source {
  readonly prompt: PromptSource;
  readonly slot?: SlotSource;
}
export type Sources = ReadonlyMap<Rollout, Source>;

/** The active rollouts of a batch. */
export function running({ slots }: RunningBatch): Rollout[] {
  return slots.filter(isActive);
}

export type Plan = ChosenShape<Rollout>;

/** The fitting shape with the lowest step cost for these rollouts. */
export function choosePlan(
  costs: StepCosts,
  rollouts: readonly Rollout[],
  fits: Fits,
): Plan | undefined {
  return chooseShape(costs, groupsOf(rollouts), lengthsOf(rollouts), fits);
}

/** The lowest cost of a step of these rollouts, in any shape and without padding. */
export function bestStepCost(costs: StepCosts, rollouts: readonly Rollout[]): number {
  return unpaddedStepCost(costs, groupsOf(rollouts), lengthsOf(rollouts));
}

function groupsOf(rollouts: readonly Rollout[]): Rollout[][] {
  return [...Map.groupBy(rollouts, (rollout) => rollout.b).values()];
}

function lengthsOf(rollouts: readonly Rollout[]): Lengths {
  return {
    prefix: rollouts.reduce((n, rollout) => Math.max(n, rollout.promptLength), 0),
    count: longest(rollouts),
  };
}

function longest(rollouts: readonly Rollout[]): number {
  return rollouts.reduce((n, { count }) => Math.max(n, count), 0);
}

/** Sources of the active rollouts of a batch. */
export function batchSources({ cache, slots }: RunningBatch): Sources {
  const sources = slots.entries().flatMap(([slot, rollout]): [Rollout, Source][] => {
    if (!isActive(rollout)) return [];
    const row = Math.floor(slot / cache.shape.branches);
    const prompt = { from: cache.prompts, row, length: rollout.promptLength };
    return [[rollout, { prompt, slot: { from: cache, slot, count: rollout.count - 1 } }]];
  });
  return new Map(sources);
}

/** Sources of rollouts whose prompts have just been read. */
export function arrivalSources(
  rollouts: readonly Rollout[],
  read: ReadonlyMap<number, ReadPrompt>,
): Sources {
  return new Map(rollouts.map((rollout) => [rollout, { prompt: read.get(rollout.b)!.prompt }]));
}

function unitSource(unit: readonly Rollout[], sources: Sources): UnitSource {
  return {
    prompt: sources.get(unit[0]!)!.prompt,
    slots: unit.map((rollout) => sources.get(rollout)!.slot),
  };
}

/** A new batch of rollouts from any sources. */
export function assemble(
  { config }: CachedModel,
  { shape, units }: Plan,
  sources: Sources,
): RunningBatch {
  const all = units.map((unit) => unitSource(unit, sources));
  const slots = Array.from({ length: shape.units * shape.branches }, (_, slot) =>
    units[Math.floor(slot / shape.branches)]?.at(slot % shape.branches),
  );
  return { cache: BatchCache.gather(config, shape, all), slots };
}

/** Puts rollouts just read into idle units of a batch; undefined if there are too few. */
export function joinInPlace(
  batch: RunningBatch,
  arrivals: readonly Rollout[],
  sources: Sources,
): RunningBatch | undefined {
  const { units: count, branches, prefix } = batch.cache.shape;
  const units = groupsOf(arrivals).flatMap((group) => chunks(group, branches));
  const slotsOf = (unit: number) => batch.slots.slice(unit * branches, (unit + 1) * branches);
  const free = Array.from({ length: count }, (_, unit) => unit).filter(
    (unit) => !slotsOf(unit).some(isActive),
  );
  if (units.length > free.length || arrivals.some((r) => r.promptLength > prefix)) return undefined;
  const slots = [...batch.slots];
  for (const [i, rollouts] of units.entries()) {
    const unit = free[i]!;
    batch.cache.place(unit, unitSource(rollouts, sources));
    for (let g = 0; g < branches; g++) slots[unit * branches + g] = rollouts[g];
  }
  return { cache: batch.cache, slots };
}

/** A batch with capacity for the next token. */
export function withCapacity(batch: RunningBatch): RunningBatch {
  const { cache, slots } = batch;
  const capacity = paddedTokens(longest(running(batch)));
  return capacity <= cache.shape.capacity
    ? batch
    : { cache: cache.grow(capacity, cachedCounts(slots)), slots };
}

/** Cached tokens of each slot: all but the last one sampled; -1 for an idle slot. */
function cachedCounts(slots: RunningBatch['slots']): Int32Array {
  return Int32Array.from(slots, (rollout) => (isActive(rollout) ? rollout.count - 1 : -1));
}

/** Generates one token for every active rollout. */
export async function advance(
  model: CachedModel,
  { cache, slots }: RunningBatch,
  draw: Draw,
): Promise<void> {
  const tokens = new Int32Array(slots.length);
  const positions = new Int32Array(slots.length);
  const uniforms = new Float32Array(slots.length);
  for (const [slot, rollout] of slots.entries()) {
    if (!isActive(rollout)) continue;
    tokens[slot] = rollout.tokens[rollout.count - 1]!;
    positions[slot] = rollout.promptLength + rollout.count - 1;
    uniforms[slot] = nextUniform(rollout);
  }
  const counts = cachedCounts(slots);
  const { next, ...made } = await model.write(cache, { tokens, positions, uniforms }, counts);
  cache.append(made, counts);
  const kind = model.writtenKind;
  const width = nextWidth(kind, model.config);
  for (const [slot, rollout] of slots.entries())
    if (isActive(rollout))
      draw(rollout, { kind, row: next.subarray(slot * width, (slot + 1) * width) });
}
