/**
 * Group-relative advantages of both streams. A = (r - mean) / (std + 1e-8), population std, 0 where std < 1e-8
 * (Shao et al. 2024); Dr. GRPO leaves the std out. Void rollouts take no part and get 0.
 */
import { overlongPenalty, shapeRisk } from '@cipo/reward';
import type { RiskMode } from '../config.ts';
import { type Group, mean, type Rollout } from './rollout.ts';

const EPSILON = 1e-8;

/** rewards [G] -> advantages [G]. */
export function groupAdvantages(
  rewards: readonly (number | undefined)[],
  normalizeByStd = true,
): number[] {
  const judged = rewards.filter((r) => r !== undefined);
  const center = mean(judged);
  const std = Math.sqrt(mean(judged.map((r) => (r - center) ** 2)));
  const scale = normalizeByStd ? 1 / (std + EPSILON) : 1;
  return rewards.map((r) => (r === undefined || std < EPSILON ? 0 : (r - center) * scale));
}

export interface BaseOptions {
  readonly normalizeByStd: boolean;
  readonly maxTokens: number;
  readonly overlongBuffer: number;
}

/** Advantages of the base stream, [B][G]; the group is the prompt. */
export function baseAdvantages(groups: readonly Group[], options: BaseOptions): number[][] {
  const shaped = ({ composed, sample }: Rollout) =>
    composed === undefined
      ? undefined
      : composed.reward +
        overlongPenalty(sample.tokens.length, options.maxTokens, options.overlongBuffer);
  return groups.map((g) => groupAdvantages(g.rollouts.map(shaped), options.normalizeByStd));
}

export interface RiskOptions {
  readonly riskMode: RiskMode;
  /** lambda */
  readonly riskPenalty: number;
  readonly normalizeByStd: boolean;
}

const rewardsOf = (group: Group) => group.rollouts.map((r) => r.composed?.reward);
/** A right attempt was shown, and this is wrong. */
const broken = (group: Group, { reward }: Rollout) =>
  reward === 0 && (group.anchor?.passed ?? false);
const shapedOf = (group: Group, lambda: number) =>
  group.rollouts.map((r) => r.composed && shapeRisk(r.composed.reward, broken(group, r), lambda));

/**
 * Advantages of the correction stream, [anchors][G]. Why four modes: inside a group that shares one anchor the
 * shaped reward is an affine map of the raw one, so dividing by the std removes lambda altogether, and a group that
 * turns a right anchor wrong in all G rollouts gets no gradient. Only `reward` [A] keeps that literal form.
 */
export function correctionAdvantages(groups: readonly Group[], options: RiskOptions): number[][] {
  const { riskMode, riskPenalty: lambda, normalizeByStd } = options;
  switch (riskMode) {
    case 'reward':
      return groups.map((g) => groupAdvantages(shapedOf(g, lambda), normalizeByStd));
    case 'meanOnly':
      return groups.map((g) => groupAdvantages(shapedOf(g, lambda), false));
    case 'perPrompt':
      return acrossAnchors(groups, lambda, normalizeByStd);
    case 'postNorm':
      return groups.map((g) => postNorm(g, lambda, normalizeByStd));
  }
}

/**
 * Raw advantages less lambda times their size for right-to-wrong, which doubles a negative one at lambda 1; less lambda
 * for each where a right anchor was never kept.
 */
function postNorm(group: Group, lambda: number, normalizeByStd: boolean): number[] {
  const advantages = groupAdvantages(rewardsOf(group), normalizeByStd);
  if (!group.anchor?.passed) return advantages;
  const never = group.rollouts.every((r) => r.reward !== 1);
  return advantages.map((a, i) => {
    if (!broken(group, group.rollouts[i]!)) return a;
    if (never) return a - lambda;
    return a < 0 ? a * (1 + lambda) : a - lambda * a;
  });
}

/** Shaped rewards normalised over all anchors of one task, where the shaping bites by itself. */
function acrossAnchors(
  groups: readonly Group[],
  lambda: number,
  normalizeByStd: boolean,
): number[][] {
  const byTask = Map.groupBy(groups, (g) => g.item.task);
  const advantages = new Map<Group, number[]>();
  for (const members of byTask.values()) {
    const flat = groupAdvantages(
      members.flatMap((g) => shapedOf(g, lambda)),
      normalizeByStd,
    );
    let at = 0;
    for (const g of members) {
      advantages.set(g, flat.slice(at, at + g.rollouts.length));
      at += g.rollouts.length;
    }
  }
  return groups.map((g) => advantages.get(g) ?? []);
}
