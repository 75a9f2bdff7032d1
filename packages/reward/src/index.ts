/**
 * @packageDocumentation From verdict to reward: the binary reward, terms that compose with weights, the diagnostics that
 * a policy may see, and scores for evaluation tools. Everything is pure.
 */
export {
  domainScorer,
  type Score,
  type ScorerArgs,
  type ScorerOptions,
  toScore,
} from './adapter.ts';
export { type BinaryReward, reward, rewardOf } from './binary.ts';
export {
  correctionMessages,
  type PolicyDiagnosticsOptions,
  policyDiagnostics,
} from './diagnostics.ts';
export { overlongPenalty, shapeRisk } from './shaping.ts';
export * from './terms/index.ts';
