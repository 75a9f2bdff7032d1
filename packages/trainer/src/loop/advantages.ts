/**
 * Group-relative advantages of both streams: A = (r - mean) / (std + 1e-8) with the population std, and 0 if std < 1e-8
 * (Shao et al. 2024, DeepSeekMath). Dr. GRPO does not divide by the std. Void rollouts are left out and get 0.
 */
import { overlongPenalty, shapeRisk } from '@cipo/reward';
import { mean } from '@cipo/support';
import type { TrainConfig } from '../config.ts';
import type { Group, Rollout } from './rollout.ts';

/** Rewards of a group whose std is below this are equal: the group gives no gradient. */
export const ZERO_STD = 1e-8;

type ObjectiveConfig = TrainConfig['objective'];
type CorrectionsConfig = TrainConfig['corrections'];

/** rewards [G] -> advantages [G]. Undefined is the reward of a void rollout. */
export function groupAdvantages(
  rewards: readonly (number | undefined)[],
  normalizeByStd = true,
): number[] {
  const judged = rewards.filter((r) => r !== undefined);
  const center = mean(judged);
  const std = Math.sqrt(mean(judged.map((r) => (r - center) ** 2)));
  const scale = normalizeByStd ? 1 / (std + ZERO_STD) : 1;
  return rewards.map((r) => (r === undefined || std < ZERO_STD ? 0 : (r - center) * scale));
}

/** Options of {@link baseAdvantages}. */
export interface BaseAdvantageOptions
  extends Pick<ObjectiveConfig, 'normalizeByStd' | 'overlongBuffer'> {
  /** Maximum tokens per completion; the overlong penalty starts `overlongBuffer` tokens before it. */
  readonly maxTokens: number;
}

/** Advantages of the base stream, [B][G]. The group is the prompt. */
export function baseAdvantages(
  groups: readonly Group[],
  { normalizeByStd, maxTokens, overlongBuffer }: BaseAdvantageOptions,
): number[][] {
  const shapedReward = ({ composed, sample }: Rollout) =>
    composed && composed.reward + overlongPenalty(sample.tokens.length, maxTokens, overlongBuffer);
  return groups.map(({ rollouts }) => groupAdvantages(rollouts.map(shapedReward), normalizeByStd));
}

/** Options of {@link correctionAdvantages}. `riskPenalty` is lambda. */
export type CorrectionAdvantageOptions = Pick<CorrectionsConfig, 'riskMode' | 'riskPenalty'> &
  Pick<ObjectiveConfig, 'normalizeByStd'>;

/**
 * Advantages of the correction stream, [anchors][G].
 *
 * Why there are four modes: in a group that shares one anchor, the shaped reward is an affine map of the raw reward.
 * Dividing by the std therefore cancels lambda, and a group that breaks a correct anchor in all G rollouts gets no
 * gradient. Only `reward` [A] keeps this literal form.
 */
export function correctionAdvantages(
  groups: readonly Group[],
  options: CorrectionAdvantageOptions,
): number[][] {
  const { riskMode, riskPenalty: lambda, normalizeByStd } = options;
  switch (riskMode) {
    case 'reward':
      return groups.map((group) => groupAdvantages(shapedRewards(group, lambda), normalizeByStd));
    case 'meanOnly':
      return groups.map((group) => groupAdvantages(shapedRewards(group, lambda), false));
    case 'perPrompt':
      return normalizeAcrossAnchors(groups, lambda, normalizeByStd);
    case 'postNorm':
      return groups.map((group) => penalizeAfterNormalizing(group, lambda, normalizeByStd));
  }
}

/**
 * Advantages of the raw rewards. Each rollout that breaks a correct anchor then loses lambda times the size of its
 * advantage; at lambda 1 this doubles a negative one. If no rollout kept the anchor correct, each loses lambda.
 */
function penalizeAfterNormalizing(group: Group, lambda: number, normalizeByStd: boolean): number[] {
  const { rollouts, anchor } = group;
  const rewards = rollouts.map(({ composed }) => composed?.reward);
  const advantages = groupAdvantages(rewards, normalizeByStd);
  if (!anchor?.passed) return advantages;
  const isNeverKept = rollouts.every(({ correctness }) => correctness !== 1);
  return advantages.map((advantage, g) => {
    if (rollouts[g]?.correctness !== 0) return advantage;
    if (isNeverKept) return advantage - lambda;
    return advantage < 0 ? advantage * (1 + lambda) : advantage - lambda * advantage;
  });
}

/** Normalizes the shaped rewards over all anchors of one task: there lambda does not cancel. */
function normalizeAcrossAnchors(
  groups: readonly Group[],
  lambda: number,
  normalizeByStd: boolean,
): number[][] {
  const byTask = Map.groupBy(groups, ({ item }) => item.task);
  const advantages = new Map<Group, number[]>();
  for (const members of byTask.values()) {
    const flat = groupAdvantages(
      members.flatMap((group) => shapedRewards(group, lambda)),
      normalizeByStd,
    );
    let start = 0;
    for (const group of members) {
      advantages.set(group, flat.slice(start, start + group.rollouts.length));
      start += group.rollouts.length;
    }
  }
  return groups.map((group) => advantages.get(group) ?? []);
}

/** Rewards [G] less lambda for each rollout that breaks a correct anchor. */
function shapedRewards({ rollouts, anchor }: Group, lambda: number): (number | undefined)[] {
  return rollouts.map(({ correctness, composed }) => {
    const breaksAnchor = anchor?.passed === true && correctness === 0;
    return composed && shapeRisk(composed.reward, breaksAnchor, lambda);
  });
}
