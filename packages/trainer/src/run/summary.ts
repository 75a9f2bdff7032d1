/** Builds the numbers of a run in one object: `summary.json`. */
import type { TrainConfig } from '../config.ts';
import type { Evaluation, Quality, QualityNumbers, Summary } from '../events.ts';
import type { Policy } from '../policy/policy.ts';
import type { RunState } from './folder.ts';

/** @param after null if the run was interrupted before its last evaluation */
export function summarize(
  { preset, seed }: TrainConfig,
  { parameters, trained, lora }: Pick<Policy, 'parameters' | 'trained' | 'lora'>,
  { step, generatedTokens, wallSeconds, before }: RunState,
  after: Evaluation | null,
): Summary {
  return {
    preset,
    seed,
    parameters,
    trained,
    ...(lora && { lora }),
    steps: step,
    generatedTokens,
    wallSeconds,
    interrupted: after === null,
    before: meansOf(before),
    after: after && meansOf(after),
    intervals: { before, after },
  };
}

function meansOf({ passAt1, passAtK, fixRate, retention }: Quality): QualityNumbers {
  return {
    passAt1: passAt1.mean,
    passAtK: passAtK.mean,
    fixRate: fixRate.mean,
    retention: retention.mean,
  };
}
