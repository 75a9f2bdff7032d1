/**
 * Packs sequences into micro-batches that are only scored: the logprob of every token but the first. Sequences with a
 * common beginning, above all the rollouts of one prompt, share it.
 */

import { type Layout, prefixRows } from '../model/attention.ts';
import type { TokenIds } from '../types.ts';
import { type Branch, fill, type MicroBatch, MOST_BRANCHES, packGroups } from './batching.ts';

/** A micro-batch that scores every token but the first of some sequences. */
export interface ScoringBatch extends MicroBatch {
  /** Copies the logprobs of the rows, [N], into the results of the sequences. */
  collect(logp: ArrayLike<number>, results: readonly Float32Array[]): void;
}

/** Minimum common beginning, in tokens; sharing a shorter one saves nothing. */
const LEAST_SHARED = 16;

/** Packs sequences so that common beginnings are shared; targets are those of all rows, prefixes first. */
export function scoringBatches(sequences: readonly TokenIds[], maxRows: number): ScoringBatch[] {
  const sources = new Map<Branch, number>();
  const groups = groupByBeginning(sequences).map(({ members, shared }) => {
    // Every member keeps a token after its prefix, at least one row for its branch.
    const prefix = Math.min(shared, ...members.map((i) => sequences[i]!.length - 1)) - 1;
    return members.map((i) => {
      const branch = scoringBranch(sequences[i]!, Math.max(0, prefix));
      sources.set(branch, i);
      return branch;
    });
  });
  return packGroups(groups, maxRows).map(({ layout, members }) => {
    const { arrays } = fill(layout, members);
    const targets = Int32Array.of(...prefixTargets(layout, members), ...arrays.targets);
    const collect: ScoringBatch['collect'] = (logp, results) =>
      collectRows(layout, members, logp, (branch) => results[sources.get(branch)!]!);
    return { layout, arrays: { ...arrays, targets }, collect };
  });
}

/** Groups sequences that share their first `shared` tokens; a group of one shares nothing. */
function groupByBeginning(sequences: readonly TokenIds[]) {
  const order = [...sequences.keys()].filter((i) => sequences[i]!.length > 1);
  order.sort((a, b) => compareTokens(sequences[a]!, sequences[b]!));
  const groups: { members: number[]; shared: number }[] = [];
  for (const i of order) {
    const open = groups.at(-1);
    const common = open ? commonLength(sequences[open.members[0]!]!, sequences[i]!) : 0;
    // The shared beginning may shrink only a little, or many short ones would absorb long ones.
    const isClose = open && (open.members.length === 1 || common >= 0.75 * open.shared);
    if (open && isClose && common >= LEAST_SHARED && open.members.length < MOST_BRANCHES) {
      open.shared = open.members.length === 1 ? common : Math.min(open.shared, common);
      open.members.push(i);
    } else groups.push({ members: [i], shared: 0 });
  }
  return groups;
}

function scoringBranch(tokens: TokenIds, start: number): Branch {
  const n = tokens.length - 1 - start;
  const zero = new Float32Array(n);
  return {
    prefix: tokens.subarray(0, start),
    tokens: tokens.subarray(start, start + n),
    targets: tokens.subarray(start + 1),
    terms: { weights: zero, active: zero, old: zero, advantages: zero, ref: zero },
  };
}

function prefixTargets(layout: Layout, groups: readonly Branch[][]): Int32Array {
  const targets = new Int32Array(prefixRows(layout));
  for (const [i, group] of groups.entries()) {
    const { prefix, tokens } = group[0]!;
    targets.set(prefix.subarray(1), i * layout.prefix);
    if (prefix.length > 0) targets[i * layout.prefix + prefix.length - 1] = tokens[0]!;
  }
  return targets;
}

function collectRows(
  layout: Layout,
  groups: readonly Branch[][],
  logp: ArrayLike<number>,
  resultOf: (branch: Branch) => Float32Array,
): void {
  for (const [i, group] of groups.entries())
    for (const [j, branch] of group.entries()) {
      const result = resultOf(branch);
      const shared = branch.prefix.length;
      for (let t = 0; t < shared; t++) result[t + 1] = logp[i * layout.prefix + t]!;
      const start = prefixRows(layout) + (i * layout.branches + j) * layout.length;
      for (let t = 0; t < branch.tokens.length; t++) result[shared + t + 1] = logp[start + t]!;
    }
}

function compareTokens(a: TokenIds, b: TokenIds): number {
  const common = commonLength(a, b);
  return (a[common] ?? -1) - (b[common] ?? -1);
}

function commonLength(a: TokenIds, b: TokenIds): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}
