/**
 * Packs training sequences into micro-batches of a few fixed shapes. Sequences with the same prompt share it
 * (model/attention.ts), lengths are rounded up to buckets, and sequences without weight are skipped.
 */

import { EngineError } from '../errors.ts';
import { type Layout, MASKED, prefixRows, totalRows } from '../model/attention.ts';
import type { Datum, TokenIds } from '../types.ts';

/** The trained part of a sequence: its rows predict `targets` after a context of `prefix`. */
export interface Branch {
  readonly prefix: TokenIds;
  /** Input tokens: the one before each target. */
  readonly tokens: TokenIds;
  readonly targets: TokenIds;
  readonly terms: Terms;
}

/** Names of the per-token inputs of a loss. */
export const TERM_NAMES = ['weights', 'active', 'old', 'advantages', 'ref'] as const;
export type TermName = (typeof TERM_NAMES)[number];
type Terms = Readonly<Record<TermName, Float32Array>>;

/** The inputs of one run of a training program that batching makes; `prefixMask` only if prefixes are shared. */
type BatchArrays = Terms &
  Readonly<Record<'tokens' | 'positions' | 'targets', Int32Array>> & {
    readonly prefixMask?: Float32Array;
  };

/** The inputs of one run of a training program, and their layout. */
export interface MicroBatch {
  readonly layout: Layout;
  readonly arrays: BatchArrays;
}

/** Maximum number of branches that share one prefix. */
export const MOST_BRANCHES = 16;

/** Rounds a length up to a bucket. Each shape is a compiled graph; padding is wasted work. */
function bucketLength(length: number): number {
  const step = length <= 48 ? 8 : length <= 128 ? 16 : length <= 512 ? 32 : 128;
  return Math.ceil(length / step) * step;
}

function powerOfTwo(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}

/** Which fields of a Datum a loss reads. */
export interface LossNeeds {
  /** Advantages and the sampler's logprobs. */
  readonly policyTerms: boolean;
  readonly reference: boolean;
}

/** A micro-batch, and whether its gradient is zero by construction, so that it only needs to be measured. */
export interface TrainingBatch extends MicroBatch {
  readonly still: boolean;
}

/**
 * @throws EngineError `input` naming the datum and array, if lengths differ, or a weighted token lacks what the loss
 * needs or has a value that is not finite
 */
export function microBatches(
  data: readonly Datum[],
  needs: LossNeeds,
  maxRows: number,
): TrainingBatch[] {
  const branches = data.flatMap((datum, i) => toBranch(datum, i, needs) ?? []);
  // A token without advantage and without a KL term has no gradient.
  const isStill = ({ terms }: Branch) =>
    needs.policyTerms && !needs.reference && terms.advantages.every((a) => a === 0);
  return [false, true].flatMap((still) => {
    const chosen = branches.filter((branch) => isStill(branch) === still);
    return packGroups(groupByPrefix(chosen, maxRows), maxRows).map(({ layout, members }) => ({
      ...fill(layout, members),
      still,
    }));
  });
}

function toBranch(datum: Datum, index: number, needs: LossNeeds): Branch | undefined {
  const { tokens, weights } = datum;
  const required = {
    weights,
    ...(needs.policyTerms && { advantages: datum.advantages, logprobs: datum.logprobs }),
    ...(needs.reference && { refLogprobs: datum.refLogprobs }),
  };
  for (const [name, array] of Object.entries(required))
    if (array?.length !== tokens.length)
      throw new EngineError(
        'input',
        `datum ${index}: ${name}: expected ${tokens.length} entries as in tokens, got ${array?.length ?? 'none'}`,
      );
  const first = weights.findIndex((w, t) => t > 0 && w !== 0);
  if (first < 0) return undefined;
  const end = weights.findLastIndex((w) => w !== 0) + 1;
  const active = weights.slice(first, end).map((w) => (w === 0 ? 0 : 1));
  for (const [name, array = new Float32Array(0)] of Object.entries(required))
    for (let t = first; t < end; t++)
      if (active[t - first] && !Number.isFinite(array[t]))
        throw new EngineError(
          'input',
          `datum ${index}: ${name}[${t}]: expected a finite number, got ${array[t]}`,
        );
  const only = (array: Float32Array | undefined) =>
    active.map((on, i) => (on && array ? array[first + i]! : 0));
  return {
    prefix: tokens.subarray(0, first - 1),
    tokens: tokens.subarray(first - 1, end - 1),
    targets: tokens.subarray(first, end),
    terms: {
      weights: weights.slice(first, end),
      active,
      old: only(datum.logprobs),
      advantages: only(datum.advantages),
      ref: only(datum.refLogprobs),
    },
  };
}

/** Groups branches by equal prefix; a branch that shares its prefix with no other gets it as own rows. */
function groupByPrefix(branches: readonly Branch[], maxRows: number): Branch[][] {
  const groups = Map.groupBy(branches, (branch) => branch.prefix.join());
  return [...groups.values()].flatMap((group) =>
    prefixOf(group).length === 0
      ? group.map((branch) => [branch])
      : inParts(group, maxRows).map((part) => (part.length > 1 ? part : part.map(withPrefix))),
  );
}

/** Splits the branches of one prefix if they have too many rows together, the longest first. */
function inParts(group: readonly Branch[], maxRows: number): Branch[][] {
  const whole = groupShape(group);
  if (whole.branches <= MOST_BRANCHES && rowsOf(whole) <= maxRows) return [[...group]];
  const left = group.toSorted((a, b) => b.tokens.length - a.tokens.length);
  const parts: Branch[][] = [];
  while (left.length > 0) {
    const { prefix, length } = groupShape(left.slice(0, 1));
    const most = Math.max(1, Math.min(MOST_BRANCHES, (maxRows - prefix) / length));
    parts.push(left.splice(0, 2 ** Math.floor(Math.log2(most))));
  }
  return parts;
}

function withPrefix({ prefix, tokens, targets, terms }: Branch): Branch {
  const n = prefix.length;
  const shift = (array: Float32Array) => {
    const out = new Float32Array(n + array.length);
    out.set(array, n);
    return out;
  };
  const join = (rest: TokenIds) => Int32Array.of(...prefix, ...rest);
  const full = join(tokens);
  const padded = Object.fromEntries(TERM_NAMES.map((name) => [name, shift(terms[name])]));
  return {
    prefix: prefix.subarray(0, 0),
    tokens: full,
    targets: join(targets),
    terms: padded as Terms,
  };
}

interface Packed {
  readonly layout: Layout;
  /** Groups in the order of the layout; the last ones may be missing. */
  readonly members: readonly Branch[][];
}

type GroupShape = Omit<Layout, 'groups'>;
function rowsOf({ prefix, branches, length }: GroupShape): number {
  return prefix + branches * length;
}

/** Maximum factor of padding before a group of another length starts a new micro-batch. */
const MOST_PADDING = 1.3;

/** Packs groups, the longest first. Groups of nearly the same shape go together, in the shape of the first. */
export function packGroups(groups: readonly Branch[][], maxRows: number): Packed[] {
  const sized = groups.map((group) => ({ group, shape: groupShape(group) }));
  sized.sort(
    ({ shape: a }, { shape: b }) =>
      b.branches - a.branches || b.prefix - a.prefix || b.length - a.length,
  );
  const packed: { shape: GroupShape; members: Branch[][] }[] = [];
  for (const { group, shape } of sized) {
    const open = packed.at(-1);
    if (
      open &&
      fits(shape, open.shape) &&
      groupCount(open.members.length + 1) * rowsOf(open.shape) <= maxRows
    )
      open.members.push(group);
    else packed.push({ shape, members: [group] });
  }
  return packed.map(({ shape, members }) => ({
    layout: { ...shape, groups: groupCount(members.length) },
    members,
  }));
}

function fits(shape: GroupShape, into: GroupShape): boolean {
  return (
    shape.branches === into.branches &&
    (shape.prefix === 0) === (into.prefix === 0) &&
    shape.prefix <= into.prefix &&
    shape.length <= into.length &&
    rowsOf(into) <= MOST_PADDING * rowsOf(shape)
  );
}

/** Rounds up to 2^n or 1.5 * 2^n: 1, 2, 3, 4, 6, 8, 12, ... */
function groupCount(n: number): number {
  const power = powerOfTwo(n);
  return power > 2 && n <= 0.75 * power ? 0.75 * power : power;
}

/** The prefix that the branches of a group share. */
function prefixOf(group: readonly Branch[]): TokenIds {
  return group[0]?.prefix ?? new Int32Array(0);
}

function groupShape(group: readonly Branch[]): GroupShape {
  const prefix = prefixOf(group).length;
  return {
    prefix: prefix === 0 ? 0 : bucketLength(prefix),
    branches: powerOfTwo(group.length),
    length: bucketLength(Math.max(...group.map((branch) => branch.tokens.length))),
  };
}

/** Writes groups into the rows of a layout. */
export function fill(layout: Layout, groups: readonly Branch[][]): MicroBatch {
  const { prefix: p, branches: g, length: c } = layout;
  const shared = prefixRows(layout);
  const rows = totalRows(layout);
  const tokens = new Int32Array(rows);
  const positions = new Int32Array(rows);
  const targets = new Int32Array(rows - shared);
  const prefixMask = new Float32Array(shared).fill(MASKED);
  const terms = Object.fromEntries(
    TERM_NAMES.map((name) => [name, new Float32Array(rows - shared)]),
  ) as Terms;
  for (const [i, group] of groups.entries()) {
    const context = prefixOf(group);
    tokens.set(context, i * p);
    positions.set(context.keys().toArray(), i * p);
    prefixMask.fill(0, i * p, i * p + context.length);
    for (const [j, branch] of group.entries()) {
      const at = (i * g + j) * c;
      tokens.set(branch.tokens, shared + at);
      const places = Int32Array.from(branch.tokens, (_, t) => context.length + t);
      positions.set(places, shared + at);
      targets.set(branch.targets, at);
      for (const name of TERM_NAMES) terms[name].set(branch.terms[name], at);
    }
  }
  const arrays = { tokens, positions, targets, ...terms, ...(shared > 0 && { prefixMask }) };
  return { layout, arrays };
}
