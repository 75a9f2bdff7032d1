/**
 * A cohort: rollouts that are written in step, in one shape. Here stands how cohorts are put together from others and
 * from prompts just read, how they shrink and grow, and how they take a step; when they do is the sampler's business.
 */

import {
  type LaneCache as Cache,
  LaneCache,
  type LaneSource,
  type PromptSource,
  type UnitSource,
} from './cache.ts';
import type { CachedModel } from './model.ts';
import type { ReadPrompt } from './prefill.ts';
import { nextWidth } from './programs.ts';
import { type Draw, isWriting, nextUniform, type Rollout } from './rollouts.ts';
import {
  bareCost,
  type ChosenShape,
  chooseShape,
  chunks,
  type Fits,
  type Lengths,
  type StepCosts,
  slotCount,
} from './shapes.ts';

export interface Cohort {
  readonly cache: Cache;
  /** The rollout of each lane; a lane whose rollout has ended is idle. */
  readonly lanes: readonly (Rollout | undefined)[];
}

/** Where a rollout's prompt lies, and its own tokens if it has been written already. */
interface Source {
  readonly prompt: PromptSource;
  readonly lane?: LaneSource;
}
export type Sources = ReadonlyMap<Rollout, Source>;

export function running({ lanes }: Cohort): Rollout[] {
  return lanes.filter(isWriting);
}

export type Plan = ChosenShape<Rollout>;

/** Of the shapes that fit the one whose step costs least for these rollouts. */
export function planFor(
  costs: StepCosts,
  rollouts: readonly Rollout[],
  fits: Fits,
): Plan | undefined {
  return chooseShape(costs, groupsOf(rollouts), lengthsOf(rollouts), fits);
}

/** What a step of these rollouts costs, whatever shape they are in. */
export function worth(costs: StepCosts, rollouts: readonly Rollout[]): number {
  return bareCost(costs, groupsOf(rollouts), lengthsOf(rollouts));
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

/** Of the rollouts that a cohort is writing. */
export function cohortSources({ cache, lanes }: Cohort): Sources {
  const sources = lanes.entries().flatMap(([lane, rollout]): [Rollout, Source][] => {
    if (!isWriting(rollout)) return [];
    const row = Math.floor(lane / cache.shape.branches);
    const prompt = { from: cache.prompts, row, length: rollout.promptLength };
    return [[rollout, { prompt, lane: { from: cache, lane, count: rollout.count - 1 } }]];
  });
  return new Map(sources);
}

/** Of rollouts whose prompts have just been read. */
export function arrivalSources(
  rollouts: readonly Rollout[],
  read: ReadonlyMap<number, ReadPrompt>,
): Sources {
  return new Map(rollouts.map((rollout) => [rollout, { prompt: read.get(rollout.b)!.prompt }]));
}

function unitSource(unit: readonly Rollout[], sources: Sources): UnitSource {
  return {
    prompt: sources.get(unit[0]!)!.prompt,
    lanes: unit.map((rollout) => sources.get(rollout)!.lane),
  };
}

/** Rollouts from wherever they are, in a new cohort. */
export function assemble(
  { config }: CachedModel,
  { shape, units }: Plan,
  sources: Sources,
): Cohort {
  const all = units.map((unit) => unitSource(unit, sources));
  const lanes = Array.from({ length: shape.units * shape.branches }, (_, lane) =>
    units[Math.floor(lane / shape.branches)]?.at(lane % shape.branches),
  );
  return { cache: LaneCache.gathered(config, shape, all), lanes };
}

/** Rollouts just read in units of a cohort that have nothing more to write; undefined where there are too few. */
export function joinedInPlace(
  cohort: Cohort,
  arrivals: readonly Rollout[],
  sources: Sources,
): Cohort | undefined {
  const { units: count, branches, prefix } = cohort.cache.shape;
  const units = groupsOf(arrivals).flatMap((group) => chunks(group, branches));
  const lanesOf = (unit: number) => cohort.lanes.slice(unit * branches, (unit + 1) * branches);
  const free = Array.from({ length: count }, (_, unit) => unit).filter(
    (unit) => !lanesOf(unit).some(isWriting),
  );
  if (units.length > free.length || arrivals.some((r) => r.promptLength > prefix)) return undefined;
  const lanes = [...cohort.lanes];
  for (const [i, rollouts] of units.entries()) {
    const unit = free[i]!;
    cohort.cache.place(unit, unitSource(rollouts, sources));
    for (let g = 0; g < branches; g++) lanes[unit * branches + g] = rollouts[g];
  }
  return { cache: cohort.cache, lanes };
}

/** With room for the next token. */
export function withRoom(cohort: Cohort): Cohort {
  const { cache, lanes } = cohort;
  const slots = slotCount(longest(running(cohort)));
  return slots <= cache.shape.slots ? cohort : { cache: cache.grown(slots, written(lanes)), lanes };
}

/** Tokens of each lane that its cache holds, all but the last drawn; -1 for a lane that is not writing. */
function written(lanes: Cohort['lanes']): Int32Array {
  return Int32Array.from(lanes, (rollout) => (isWriting(rollout) ? rollout.count - 1 : -1));
}

/** One more token for every rollout that is still writing. */
export async function advance(
  model: CachedModel,
  { cache, lanes }: Cohort,
  draw: Draw,
): Promise<void> {
  const tokens = new Int32Array(lanes.length);
  const positions = new Int32Array(lanes.length);
  const uniforms = new Float32Array(lanes.length);
  for (const [lane, rollout] of lanes.entries()) {
    if (!isWriting(rollout)) continue;
    tokens[lane] = rollout.tokens[rollout.count - 1]!;
    positions[lane] = rollout.promptLength + rollout.count - 1;
    uniforms[lane] = nextUniform(rollout);
  }
  const counts = written(lanes);
  const { next, ...made } = await model.write(cache, { tokens, positions, uniforms }, counts);
  cache.append(made, counts);
  const kind = model.writtenKind;
  const width = nextWidth(kind, model.config);
  for (const [lane, rollout] of lanes.entries())
    if (isWriting(rollout))
      draw(rollout, { kind, row: next!.subarray(lane * width, (lane + 1) * width) });
}
