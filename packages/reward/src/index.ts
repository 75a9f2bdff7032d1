/**
 * From verdict to reward: 1, 0 or none; terms that compose with weights; what a policy may be told, in its domain's words;
 * scores for evaluation tools. All of it is pure.
 */
export {
  domainScorer,
  type Score,
  type ScorerArgs,
  type ScorerOptions,
  toScore,
} from './adapter.ts';
export { type BinaryReward, reward, rewardOf } from './binary.ts';
export { correctionMessages, policyDiagnostics, type TellOptions } from './diagnostics.ts';
export { overlongPenalty, shapeRisk } from './shaping.ts';
export * from './terms/index.ts';
