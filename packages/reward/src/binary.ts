/** The binary reward: 1 for a correct attempt, 0 for an incorrect one, undefined for one that was not judged. */
import type { Judged, Verdict } from '@cipo/verifier/types';

/** Reward of a judged attempt. */
export type BinaryReward = 0 | 1;

/**
 * Reward of a judged verdict: 1 for correct, 0 for incorrect. A {@link Verdict} that may be void does not type-check as
 * its argument.
 */
export function reward(verdict: Judged): BinaryReward {
  return verdict.passed ? 1 : 0;
}

/** Reward of any verdict. Undefined for a void one: the sample is then masked and counted, never scored 0. */
export function rewardOf(verdict: Verdict): BinaryReward | undefined {
  return verdict.kind === 'judged' ? reward(verdict) : undefined;
}
