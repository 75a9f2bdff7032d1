/** `cipo eval`: held-out quality of any policy folder, without training. */
import type { TrainConfig } from '../config.ts';
import type { Evaluation, SampleRecord } from '../events.ts';
import { openPolicy, WARM_START } from '../policy/policy.ts';
import { Interrupted } from '../run/interrupted.ts';
import { type DomainSet, openDomains } from '../tasks/domains.ts';
import { openTasks } from '../tasks/index.ts';
import { evaluate } from './evaluate.ts';

export interface EvaluateModelOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  /** Told of a few attempts with their corrections. */
  readonly onSamples?: (records: readonly SampleRecord[]) => void;
  readonly domains?: DomainSet;
}

/** Evaluates `config.model` on the held-out tasks of `config.tasks`. @throws where model or tasks are missing */
export async function evaluateModel(
  config: TrainConfig,
  options: EvaluateModelOptions = {},
): Promise<Evaluation> {
  const tasks = await openTasks(config, options.domains ?? (await openDomains(config)));
  try {
    const policy = await openPolicy(config.model ?? WARM_START, config, false);
    try {
      const measured = await evaluate(
        { ...policy, signal: options.signal },
        tasks.heldOut(config.evaluation.tasks),
        {
          samples: config.evaluation.samples,
          maxTokens: config.rollout.maxTokens,
          temperature: config.rollout.temperature,
          stopStrings: config.rollout.stopStrings,
          diagnosticsRate: config.corrections.diagnosticsRate,
          ...(options.onProgress && { onProgress: options.onProgress }),
          ...(options.onSamples && { onSamples: options.onSamples }),
        },
      );
      if (!measured) throw new Interrupted('stopped before everything was measured');
      return measured.evaluation;
    } finally {
      await policy.engine.close();
    }
  } finally {
    await tasks.close();
  }
}
