/** From verdict to reward: 1, 0 or none, diagnostics for the policy, and the shaping of either. */
export { type BinaryReward, reward, rewardOf } from './binary.ts';
export { policyDiagnostics } from './diagnostics.ts';
export { overlongPenalty, shapeRisk } from './shaping.ts';
