/**
 * @packageDocumentation The trainer: configuration and presets, the training loop and its events, evaluation.
 * Leaves out: the engine (`@cipo/engine`), verification (`@cipo/verifier`), files and flags (`@cipo/cli`).
 */

export { type PresetName, type TrainConfig, type TrainConfigInput, trainConfig } from './config.ts';
export { type ReplayState, startReplay } from './corrections/replay.ts';
export { ConfigError, FileError, Interrupted } from './errors.ts';
export { type Arm, type CompareOptions, compare } from './evaluation/compare.ts';
export { type EvaluateModelOptions, evaluateModel } from './evaluation/evaluate-model.ts';
export type { ProblemResult } from './evaluation/quality.ts';
export type {
  Estimate,
  Evaluation,
  Metrics,
  Quality,
  QualityNumbers,
  SampleRecord,
  Summary,
  TrainEvent,
} from './events.ts';
export { type StepParts, type StepResult, trainStep } from './loop/step.ts';
export { type TrainOptions, train } from './loop/train.ts';
export { type ConvertOptions, convertModel } from './policy/convert.ts';
export { type SamplingDefaults, samplingDefaults } from './policy/generation.ts';
export { openPolicy, type Policy, type PolicyConfig, WARM_START } from './policy/policy.ts';
export { loadTokenizer } from './policy/tokenizer.ts';
export { presets } from './presets.ts';
export { type PretrainConfig, pretrainConfig } from './pretrain/config.ts';
export { type PretrainOptions, pretrain } from './pretrain/pretrain.ts';
export { openDomains } from './tasks/domains.ts';
export { openTasks } from './tasks/open.ts';
export type { TaskSource, TrainingTask } from './tasks/source.ts';
export type { Tokenizer, TokenStream } from './types.ts';
