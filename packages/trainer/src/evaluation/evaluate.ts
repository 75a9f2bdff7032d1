/** Held-out quality in two turns: k attempts of each task, then one correction of each attempt. */

import { correctionAsk } from '../corrections/prompt.ts';
import type { Evaluation, SampleRecord } from '../events.ts';
import {
  type Anchor,
  type Group,
  generatedTokens,
  type RolloutParts,
  rollOut,
} from '../loop/rollout.ts';
import { hash32, stream } from '../rng.ts';
import { toRecord } from '../run/records.ts';
import type { TrainingTask } from '../tasks/source.ts';
import { type ProblemResult, qualityOf } from './quality.ts';

export interface EvaluateOptions {
  /** k: attempts of each task. */
  readonly samples: number;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly stopStrings?: readonly string[];
  readonly diagnosticsRate: number;
  /** Tasks rolled out at once. */
  readonly chunk?: number;
  readonly onProgress?: (done: number, total: number) => void;
  /** Told of a few attempts, to be looked at. */
  readonly onSamples?: (records: readonly SampleRecord[]) => void;
}

/** The shares, and what each problem adds to them. */
export interface Measurement {
  readonly evaluation: Evaluation;
  readonly results: readonly ProblemResult[];
}

/** One task with its attempts, and each usable attempt with its correction. */
interface Measured {
  readonly base: Group;
  readonly corrections: readonly Group[];
}

/**
 * Sampling here is seeded by the task's place alone, so that before and after, and one run and another, differ in
 * the policy only.
 * @returns undefined where the signal asked for an end
 */
export async function evaluate(
  parts: RolloutParts,
  tasks: readonly TrainingTask[],
  options: EvaluateOptions,
): Promise<Measurement | undefined> {
  const chunk = options.chunk ?? 32;
  const measured: Measured[] = [];
  for (let at = 0; at < tasks.length; at += chunk) {
    options.onProgress?.(at, tasks.length);
    const some = await measure(parts, tasks.slice(at, at + chunk), options, at);
    // What was judged while the signal came is void: none of it counts.
    if (parts.signal?.aborted) return undefined;
    if (at === 0) options.onSamples?.(some.slice(0, 4).flatMap(showOne));
    measured.push(...some);
  }
  options.onProgress?.(tasks.length, tasks.length);
  const results = measured.map(resultOf);
  const byKind = Map.groupBy(results, (r) => r.kind);
  const evaluation = {
    ...qualityOf(results),
    k: options.samples,
    perKind: Object.fromEntries([...byKind].map(([kind, some]) => [kind, qualityOf(some)])),
    voided: measured.reduce((n, m) => n + countVoid([m.base, ...m.corrections]), 0),
    generatedTokens: generatedTokens(measured.flatMap((m) => [m.base, ...m.corrections])),
  };
  return { evaluation, results };
}

async function measure(
  parts: RolloutParts,
  tasks: readonly TrainingTask[],
  options: EvaluateOptions,
  at: number,
): Promise<Measured[]> {
  const { samples, maxTokens, temperature, stopStrings = [] } = options;
  const ask = (seed: string, groupSize: number) => ({
    groupSize,
    maxTokens,
    temperature,
    stopStrings,
    seed: hash32(`${seed} ${at}`),
  });
  const base = await rollOut(
    parts,
    tasks.map((item) => ({ item, messages: item.task.prompt })),
    ask('evaluate', samples),
  );
  const rng = stream('evaluate', 'diagnostics', at);
  const anchors = base.flatMap((group) =>
    group.rollouts.flatMap((rollout) => asAnchor(group, rollout)),
  );
  const corrections = await rollOut(
    parts,
    anchors.map((a) => correctionAsk(a, options.diagnosticsRate, rng)),
    ask('correct', 1),
  );
  const byGroup = Map.groupBy(corrections, (c) => c.anchor?.group);
  return base.map((group) => ({ base: group, corrections: byGroup.get(group) ?? [] }));
}

/** Every judged attempt with text is corrected once, finished or not. */
function asAnchor(group: Group, rollout: Group['rollouts'][number]): Anchor[] {
  if (rollout.reward === undefined || rollout.attempt.text.trim() === '') return [];
  return [{ group, rollout, passed: rollout.reward === 1 }];
}

const judgedOf = (group: Group) =>
  group.rollouts.flatMap((r) => (r.reward === undefined ? [] : [r.reward]));
const countVoid = (groups: readonly Group[]) =>
  groups.reduce((n, g) => n + g.rollouts.filter((r) => r.reward === undefined).length, 0);

function resultOf({ base, corrections }: Measured): ProblemResult {
  const rewards = judgedOf(base);
  const from = (passed: boolean) =>
    corrections.filter((c) => c.anchor?.passed === passed).flatMap(judgedOf);
  const right = (some: readonly number[]) => some.filter((r) => r === 1).length;
  return {
    id: base.item.task.id,
    kind: base.item.kind,
    samples: rewards.length,
    passed: right(rewards),
    wrongAnchors: from(false).length,
    fixed: right(from(false)),
    rightAnchors: from(true).length,
    kept: right(from(true)),
  };
}

const showOne = ({ base, corrections }: Measured): SampleRecord[] =>
  [base, ...corrections.slice(0, 1)].flatMap((g) =>
    g.rollouts.slice(0, 1).map((r) => toRecord(0, g, r, 0)),
  );
