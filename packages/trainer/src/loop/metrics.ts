/** What a step is measured by, under TRL's names where it has one; docs/reference/metrics.md lists every name. */
import { distance } from 'fastest-levenshtein';
import type { Metrics } from '../events.ts';
import { type Group, mean } from './rollout.ts';

/** What is optimised, of the judged rollouts. */
const rewardsOf = (groups: readonly Group[]) =>
  groups.flatMap((g) => g.rollouts.flatMap((r) => r.composed?.reward ?? []));
/** Right or wrong, of the judged rollouts. */
const passesOf = (groups: readonly Group[]) =>
  groups.flatMap((g) => g.rollouts.flatMap((r) => r.reward ?? []));

/** Population standard deviation of a group's judged rewards. */
const rewardStd = (group: Group) => std(rewardsOf([group]));

function std(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(mean(values.map((r) => (r - center) ** 2)));
}

/** Each reward term by itself, unweighted, under TRL's names; nothing where correctness is the only one. */
function termMetrics(groups: readonly Group[], prefix: '' | 'correction/'): Metrics {
  const composed = groups.flatMap((g) => g.rollouts.flatMap((r) => r.composed ?? []));
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

/** Base stream: reward, its spread, lengths, entropy. */
export function baseMetrics(groups: readonly Group[]): Metrics {
  const rollouts = groups.flatMap((g) => g.rollouts);
  const stds = groups.map(rewardStd);
  const logprobs = rollouts.flatMap((r) => Array.from(r.sample.logprobs));
  return {
    reward: mean(rewardsOf(groups)),
    reward_std: mean(stds),
    frac_reward_zero_std: mean(stds.map((s) => Number(s < 1e-8))),
    // Sampled estimate: E[-log p] over all tokens drawn, exact in expectation at temperature 1.
    entropy: -mean(logprobs),
    'completions/mean_length': mean(rollouts.map((r) => r.sample.tokens.length)),
    'completions/clipped_ratio': mean(rollouts.map((r) => Number(r.sample.stop === 'length'))),
    void_rate: mean(rollouts.map((r) => Number(r.reward === undefined))),
    ...perKind(groups),
    ...termMetrics(groups, ''),
  };
}

function perKind(groups: readonly Group[]): Metrics {
  const byKind = Map.groupBy(groups, (g) => g.item.kind);
  return Object.fromEntries(
    [...byKind].map(([kind, some]) => [`reward/${kind}`, mean(rewardsOf(some))]),
  );
}

/** R_t: mean unshaped reward of the rollouts from correct anchors; undefined without any. */
export function retention(groups: readonly Group[]): number | undefined {
  return shareRight(groups.filter((g) => g.anchor?.passed === true));
}

/** P(right | wrong anchor); undefined without any. */
export function fixRate(groups: readonly Group[]): number | undefined {
  return shareRight(groups.filter((g) => g.anchor?.passed === false));
}

function shareRight(groups: readonly Group[]): number | undefined {
  const passes = passesOf(groups);
  return passes.length === 0 ? undefined : mean(passes);
}

/** Correction stream. A share without anything to stand on is left out of the row, not written as 0. */
export function correctionMetrics(groups: readonly Group[], rho: number): Metrics {
  const kept = retention(groups);
  const fixed = fixRate(groups);
  const pairs = groups.flatMap((g) =>
    g.rollouts.map(
      (r) => [g.anchor?.rollout.attempt.text.trim() ?? '', r.attempt.text.trim()] as const,
    ),
  );
  const rollouts = groups.flatMap((g) => g.rollouts);
  return {
    'correction/rho': rho,
    'correction/anchors_correct': groups.filter((g) => g.anchor?.passed).length,
    'correction/anchors_failed': groups.filter((g) => !g.anchor?.passed).length,
    ...(groups.length > 0 && {
      'correction/reward': mean(groups.flatMap(meanReward)),
      'correction/copy_rate': mean(pairs.map(([a, b]) => Number(a === b))),
      'correction/edit_distance': mean(
        pairs.map(([a, b]) => distance(a, b) / Math.max(1, a.length, b.length)),
      ),
      'correction/mean_length': mean(rollouts.map((r) => r.sample.tokens.length)),
      'correction/frac_reward_zero_std': mean(groups.map((g) => Number(rewardStd(g) < 1e-8))),
    }),
    ...termMetrics(groups, 'correction/'),
    ...(fixed !== undefined && { 'correction/fix_rate': fixed }),
    ...(kept !== undefined && {
      'correction/retention': kept,
      'correction/corrupt_rate': 1 - kept,
    }),
  };
}

function meanReward(group: Group): number[] {
  const rewards = rewardsOf([group]);
  return rewards.length === 0 ? [] : [mean(rewards)];
}
