/** @packageDocumentation The trainer: configuration, presets, the loop and what it tells. */

export * from './config.ts';
export { type ReplayState, startReplay } from './corrections/replay.ts';
export { type Arm, type CompareOptions, compare } from './evaluation/compare.ts';
export { type EvaluateModelOptions, evaluateModel } from './evaluation/evaluate-model.ts';
export { type ProblemResult, qualityOf } from './evaluation/quality.ts';
export { estimate, passAtK } from './evaluation/statistics.ts';
export type * from './events.ts';
export { type StepResult, trainStep } from './loop/step.ts';
export { type TrainOptions, train } from './loop/train.ts';
export { type ConvertOptions, convertModel } from './policy/convert.ts';
export { type SamplingDefaults, samplingDefaults } from './policy/generation.ts';
export { openPolicy, type Policy, savePolicy, WARM_START } from './policy/policy.ts';
export { loadTokenizer, openTokenizer } from './policy/tokenizer.ts';
export { presets } from './presets.ts';
export { type PretrainConfig, type PretrainOptions, pretrain, pretrainConfig } from './pretrain.ts';
export { Interrupted } from './run/interrupted.ts';
export { type DomainSet, domainsOf, openDomains } from './tasks/domains.ts';
export { openTasks, type TaskSource, type TrainingTask } from './tasks/index.ts';
export * from './types.ts';
