/** A verdict as the number that reinforcement learning sees: 1, 0, or none. */
import type { Judged, Verdict } from '@cipo/verifier/types';

export type BinaryReward = 0 | 1;

/** Reward of a judgement. A {@link Verdict} that may be void does not compile here. */
export function reward(verdict: Judged): BinaryReward {
  return verdict.passed ? 1 : 0;
}

/** Reward of any verdict; undefined where there was no judgement, so that the sample is masked and counted, never scored 0. */
export function rewardOf(verdict: Verdict): BinaryReward | undefined {
  return verdict.kind === 'judged' ? reward(verdict) : undefined;
}
