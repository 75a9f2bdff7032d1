/** The numbers of a run in one object: `summary.json`. */
import type { TrainConfig } from '../config.ts';
import type { Evaluation, Quality, QualityNumbers, Summary } from '../events.ts';
import type { Policy } from '../policy/policy.ts';
import type { RunState } from './folder.ts';

const numbersOf = (q: Quality): QualityNumbers => ({
  passAt1: q.passAt1.mean,
  passAtK: q.passAtK.mean,
  fixRate: q.fixRate.mean,
  retention: q.retention.mean,
});

/** `after` is null where the run was interrupted before it was measured. */
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
    before: numbersOf(before),
    after: after && numbersOf(after),
    intervals: { before, after },
  };
}
