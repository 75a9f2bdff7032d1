/** Held-out evaluation in two turns: k attempts of each task, then one correction of each attempt. */
import type { TrainConfig } from '../config.ts';
import { correctionRequest } from '../corrections/prompt.ts';
import type { Evaluation, SampleRecord } from '../events.ts';
import {
  type Anchor,
  correctnessOf,
  countTokens,
  type Group,
  type Rollout,
  type RolloutParts,
  rollOut,
} from '../loop/rollout.ts';
import { createRng, hashText } from '../rng.ts';
import { toRecord } from '../run/records.ts';
import type { TrainingTask } from '../tasks/source.ts';
import { type ProblemResult, qualityOf } from './quality.ts';

/** Options of {@link evaluate}. */
export interface EvaluateOptions {
  /** k: attempts of each task. */
  readonly samples: number;
  /** Maximum tokens per completion. */
  readonly maxTokens: number;
  readonly temperature: number;
  readonly stopStrings?: readonly string[];
  /** Probability that the prompt of an incorrect attempt carries diagnostics. */
  readonly diagnosticsRate: number;
  /** Called with the number of evaluated tasks, before each chunk and at the end. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Receives a few attempts with their corrections. */
  readonly onSamples?: (records: readonly SampleRecord[]) => void;
}

/** How a configuration evaluates; training samples with the same length limit, temperature and stop strings. */
export function evaluateOptions({
  evaluation,
  rollout,
  corrections,
}: TrainConfig): EvaluateOptions {
  return {
    samples: evaluation.samples,
    maxTokens: rollout.maxTokens,
    temperature: rollout.temperature,
    stopStrings: rollout.stopStrings,
    diagnosticsRate: corrections.diagnosticsRate,
  };
}

/** The shares of an evaluation, and what each problem adds to them. */
export interface EvaluationResult {
  readonly evaluation: Evaluation;
  readonly results: readonly ProblemResult[];
}

/** Tasks rolled out together. Seeds depend on it: another value gives other samples. */
const CHUNK_TASKS = 32;
/** Tasks of which {@link EvaluateOptions.onSamples} receives an attempt. */
const SAMPLED_TASKS = 4;

/** The attempts of one task, and the correction of each usable attempt. */
interface EvaluatedTask {
  readonly base: Group;
  readonly corrections: readonly Group[];
}

/**
 * Evaluates a policy on held-out tasks. The seed of a completion depends on its place alone, so evaluations before and
 * after training, and those of different runs, differ in the policy only.
 * @returns undefined if the signal aborted
 */
export async function evaluate(
  parts: RolloutParts,
  tasks: readonly TrainingTask[],
  options: EvaluateOptions,
): Promise<EvaluationResult | undefined> {
  const evaluated: EvaluatedTask[] = [];
  for (let start = 0; start < tasks.length; start += CHUNK_TASKS) {
    options.onProgress?.(start, tasks.length);
    const chunk = tasks.slice(start, start + CHUNK_TASKS);
    const some = await evaluateChunk(parts, chunk, options, start);
    // The verdicts that an abort cancels are void: a chunk with them does not count.
    if (parts.signal?.aborted) return undefined;
    if (start === 0) options.onSamples?.(some.slice(0, SAMPLED_TASKS).flatMap(firstRecords));
    evaluated.push(...some);
  }
  options.onProgress?.(tasks.length, tasks.length);
  return summarizeTasks(evaluated, options.samples);
}

async function evaluateChunk(
  parts: RolloutParts,
  tasks: readonly TrainingTask[],
  options: EvaluateOptions,
  start: number,
): Promise<EvaluatedTask[]> {
  const { samples, maxTokens, temperature, stopStrings = [], diagnosticsRate } = options;
  const sampling = (purpose: string, groupSize: number) => ({
    groupSize,
    maxTokens,
    temperature,
    stopStrings,
    seed: hashText(`${purpose} ${start}`),
  });
  const requests = tasks.map((item) => ({ item, messages: item.task.prompt }));
  const base = await rollOut(parts, requests, sampling('evaluate', samples));
  const rng = createRng('evaluate', 'diagnostics', start);
  const anchors = base.flatMap((group) => group.rollouts.flatMap((r) => toAnchor(group, r)));
  const corrections = await rollOut(
    parts,
    anchors.map((anchor) => correctionRequest(anchor, diagnosticsRate, rng)),
    sampling('correct', 1),
  );
  const byGroup = Map.groupBy(corrections, ({ anchor }) => anchor?.group);
  return base.map((group) => ({ base: group, corrections: byGroup.get(group) ?? [] }));
}

/** Every judged attempt with text is corrected once, truncated ones too. */
function toAnchor(group: Group, rollout: Rollout): Anchor[] {
  if (rollout.correctness === undefined || rollout.attempt.text.trim() === '') return [];
  return [{ group, rollout, passed: rollout.correctness === 1 }];
}

function summarizeTasks(evaluated: readonly EvaluatedTask[], samples: number): EvaluationResult {
  const results = evaluated.map(toProblemResult);
  const byKind = Map.groupBy(results, ({ kind }) => kind);
  const groups = evaluated.flatMap(({ base, corrections }) => [base, ...corrections]);
  const evaluation = {
    ...qualityOf(results),
    k: samples,
    perKind: Object.fromEntries([...byKind].map(([kind, some]) => [kind, qualityOf(some)])),
    voided: countVoid(groups),
    generatedTokens: countTokens(groups),
  };
  return { evaluation, results };
}

function toProblemResult({ base, corrections }: EvaluatedTask): ProblemResult {
  const attempts = correctnessOf([base]);
  const fromIncorrect = correctnessOf(corrections.filter(({ anchor }) => anchor?.passed === false));
  const fromCorrect = correctnessOf(corrections.filter(({ anchor }) => anchor?.passed === true));
  return {
    id: base.item.task.id,
    kind: base.item.kind,
    samples: attempts.length,
    passed: countCorrect(attempts),
    wrongAnchors: fromIncorrect.length,
    fixed: countCorrect(fromIncorrect),
    rightAnchors: fromCorrect.length,
    kept: countCorrect(fromCorrect),
  };
}

function countCorrect(judged: readonly number[]): number {
  return judged.filter((correctness) => correctness === 1).length;
}

function countVoid(groups: readonly Group[]): number {
  return groups
    .flatMap(({ rollouts }) => rollouts)
    .filter(({ correctness }) => correctness === undefined).length;
}

/** The first attempt of a task and its correction, as records. */
function firstRecords({ base, corrections }: EvaluatedTask): SampleRecord[] {
  return [base, ...corrections.slice(0, 1)].flatMap((group) =>
    group.rollouts.slice(0, 1).map((rollout) => toRecord(0, group, rollout, 0)),
  );
}
