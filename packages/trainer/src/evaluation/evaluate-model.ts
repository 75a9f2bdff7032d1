/** Evaluates any policy folder on held-out tasks without training: `cipo eval`. */

import type { DomainSet } from '@cipo/verifier/domains';
import type { TrainConfig } from '../config.ts';
import { Interrupted } from '../errors.ts';
import type { Evaluation, SampleRecord } from '../events.ts';
import { openPolicy, WARM_START } from '../policy/policy.ts';
import { openDomains } from '../tasks/domains.ts';
import { openTasks } from '../tasks/open.ts';
import { evaluate, evaluateOptions } from './evaluate.ts';

/** Options of {@link evaluateModel}. */
export interface EvaluateModelOptions {
  /** Ends the evaluation early: {@link evaluateModel} then throws {@link Interrupted}. */
  readonly signal?: AbortSignal;
  /** Called with the number of evaluated tasks. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Receives a few attempts with their corrections. */
  readonly onSamples?: (records: readonly SampleRecord[]) => void;
  /** Domains that judge the attempts; closed at the end. Default: math, code and the plug-ins of the configuration. */
  readonly domains?: DomainSet;
}

/**
 * Evaluates `config.model` on the held-out tasks of `config.tasks`: `config.evaluation.samples` attempts of each, and
 * one correction of each attempt.
 * @returns shares with 95 % bootstrap intervals over tasks
 * @throws if the model, a file or a domain cannot be opened; {@link Interrupted} if `signal` aborts
 */
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
          ...evaluateOptions(config),
          ...(options.onProgress && { onProgress: options.onProgress }),
          ...(options.onSamples && { onSamples: options.onSamples }),
        },
      );
      if (!measured) throw new Interrupted('stopped before the evaluation was complete');
      return measured.evaluation;
    } finally {
      await policy.engine.close();
    }
  } finally {
    await tasks.close();
  }
}
