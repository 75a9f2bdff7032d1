/** @packageDocumentation The trainer: configuration, presets, the loop and what it tells. */
export { type Arm, type CompareOptions, compare } from './compare.ts';
export * from './config.ts';
export { type ConvertOptions, convertModel } from './convert.ts';
export { type ReplayState, startReplay } from './corrections/replay.ts';
export { type DomainSet, domainsOf, openDomains } from './domains.ts';
export { type EvaluateModelOptions, evaluateModel } from './evaluate-model.ts';
export { type ProblemResult, qualityOf } from './evaluation/quality.ts';
export { estimate, passAtK } from './evaluation/statistics.ts';
export type * from './events.ts';
export { Interrupted } from './interrupted.ts';
export { openPolicy, type Policy, savePolicy, WARM_START } from './policy.ts';
export { presets } from './presets.ts';
export { type PretrainConfig, type PretrainOptions, pretrain, pretrainConfig } from './pretrain.ts';
export { type StepResult, trainStep } from './step.ts';
export { openTasks, type TaskSource, type TrainingTask } from './tasks/index.ts';
export { loadTokenizer, openTokenizer } from './tokenizer.ts';
export { type TrainOptions, train } from './train.ts';
export * from './types.ts';
