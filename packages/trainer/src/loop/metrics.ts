/** Metrics of a step, under TRL's names where TRL has one. docs/reference/metrics.md lists every name. */
import { mean } from '@cipo/support';
import { distance } from 'fastest-levenshtein';
import type { Metrics } from '../events.ts';
import { ZERO_STD } from './advantages.ts';
import { type Group, passRate } from './rollout.ts';

/** Base stream: reward and its spread, lengths, entropy. A metric that nothing was measured for is absent. */
export function baseMetrics(groups: readonly Group[]): Metrics {
  const rollouts = groups.flatMap((group) => group.rollouts);
  const logprobs = rollouts.flatMap(({ sample }) => Array.from(sample.logprobs));
  const stds = rewardStds(groups);
  return withoutUnmeasured({
    reward: mean(composedRewards(groups)),
    reward_std: mean(stds),
    frac_reward_zero_std: shareOf(stds, isZeroStd),
    // A sampled estimate: E[-log p] over all tokens drawn. Exact in expectation at temperature 1.
    entropy: -mean(logprobs),
    'completions/mean_length': mean(rollouts.map(({ sample }) => sample.tokens.length)),
    'completions/clipped_ratio': shareOf(rollouts, ({ sample }) => sample.stop === 'length'),
    void_rate: shareOf(rollouts, ({ correctness }) => correctness === undefined),
    ...rewardPerKind(groups),
    ...termMetrics(groups, ''),
  });
}

/** Correction stream. A metric that nothing was measured for is absent. */
export function correctionMetrics(groups: readonly Group[], rho: number): Metrics {
  const rollouts = groups.flatMap((group) => group.rollouts);
  const pairs = groups.flatMap(({ anchor, rollouts: corrections }) =>
    corrections.map(({ attempt }) => ({
      before: anchor?.rollout.attempt.text.trim() ?? '',
      after: attempt.text.trim(),
    })),
  );
  const kept = retention(groups) ?? Number.NaN;
  return withoutUnmeasured({
    'correction/rho': rho,
    'correction/anchors_correct': groups.filter(({ anchor }) => anchor?.passed).length,
    'correction/anchors_failed': groups.filter(({ anchor }) => !anchor?.passed).length,
    'correction/reward': mean(
      groups.map((group) => mean(composedRewards([group]))).filter(isNumber),
    ),
    'correction/copy_rate': shareOf(pairs, ({ before, after }) => before === after),
    'correction/edit_distance': mean(
      pairs.map(({ before, after }) => relativeDistance(before, after)),
    ),
    'correction/mean_length': mean(rollouts.map(({ sample }) => sample.tokens.length)),
    'correction/frac_reward_zero_std': shareOf(rewardStds(groups), isZeroStd),
    ...termMetrics(groups, 'correction/'),
    'correction/fix_rate': fixRate(groups) ?? Number.NaN,
    'correction/retention': kept,
    'correction/corrupt_rate': 1 - kept,
  });
}

/** R_t: share of correct corrections of correct anchors, by binary correctness; undefined if none was judged. */
export function retention(groups: readonly Group[]): number | undefined {
  return passRate(groups.filter(({ anchor }) => anchor?.passed === true));
}

/** Share of correct corrections of incorrect anchors; undefined if none was judged. */
function fixRate(groups: readonly Group[]): number | undefined {
  return passRate(groups.filter(({ anchor }) => anchor?.passed === false));
}

function rewardPerKind(groups: readonly Group[]): Metrics {
  const byKind = Map.groupBy(groups, ({ item }) => item.kind);
  return Object.fromEntries(
    [...byKind].map(([kind, members]) => [`reward/${kind}`, mean(composedRewards(members))]),
  );
}

/** Each reward term by itself, unweighted, under TRL's names. Empty if correctness is the only term. */
function termMetrics(groups: readonly Group[], prefix: '' | 'correction/'): Metrics {
  const composed = groups.flatMap(({ rollouts }) => rollouts.flatMap((r) => r.composed ?? []));
  const names = [...new Set(composed.flatMap(({ terms }) => Object.keys(terms)))];
  if (names.length < 2) return {};
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = composed.flatMap(({ terms }) => terms[name] ?? []);
      const path = `${prefix}rewards/${name}`;
      return [
        [`${path}/mean`, mean(values)],
        [`${path}/std`, std(values)],
      ];
    }),
  );
}

/** The optimized rewards of the judged rollouts. */
function composedRewards(groups: readonly Group[]): number[] {
  return groups.flatMap(({ rollouts }) => rollouts.flatMap((r) => r.composed?.reward ?? []));
}

/** The spread of reward within each group that has a judged rollout. */
function rewardStds(groups: readonly Group[]): number[] {
  return groups.map((group) => std(composedRewards([group]))).filter(isNumber);
}

function isZeroStd(value: number): boolean {
  return value < ZERO_STD;
}

/** Population standard deviation; NaN for an empty list. */
function std(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
}

/** Levenshtein distance over the length of the longer text, in [0, 1]. */
function relativeDistance(before: string, after: string): number {
  return distance(before, after) / Math.max(1, before.length, after.length);
}

/** NaN for an empty list. */
function shareOf<T>(items: readonly T[], test: (item: T) => boolean): number {
  return mean(items.map((item) => Number(test(item))));
}

function isNumber(value: number): boolean {
  return !Number.isNaN(value);
}

/** Drops the metrics that are NaN: means over nothing. */
function withoutUnmeasured(metrics: Metrics): Metrics {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => isNumber(value)));
}
