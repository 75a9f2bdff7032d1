/** The run around the step: evaluate, train, keep checkpoints, evaluate again, sum up. Resumable at every checkpoint. */
import type { TrainConfig } from '../config.ts';
import { startReplay } from '../corrections/replay.ts';
import { evaluate } from '../evaluation/evaluate.ts';
import type { Evaluation, Summary, TrainEvent } from '../events.ts';
import { planMemory } from '../policy/plan.ts';
import { findPolicy, openPolicy, type Policy, savePolicy, WARM_START } from '../policy/policy.ts';
import { RunFolder, type RunState } from '../run/folder.ts';
import { Interrupted } from '../run/interrupted.ts';
import { summarize } from '../run/summary.ts';
import { type DomainSet, openDomains } from '../tasks/domains.ts';
import { openTasks } from '../tasks/index.ts';
import type { TaskSource } from '../tasks/source.ts';
import { mean } from './rollout.ts';
import { trainStep } from './step.ts';

export interface TrainOptions {
  /** Where the run's files go. */
  readonly directory: string;
  /** Go on from the newest checkpoint in `directory`. */
  readonly resume?: boolean;
  /** Asks for an end after the current step: a checkpoint is written and the summary says `interrupted`. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainEvent) => void;
  /** Judges by domain name, closed at the end; absent means math and code as they come. */
  readonly domains?: DomainSet;
}

/** Steps whose mean base reward stands for a checkpoint that no evaluation measured. */
const BEST_WINDOW = 10;
const KEPT_CHECKPOINTS = 2;

interface Run {
  readonly config: TrainConfig;
  readonly policy: Policy;
  readonly tasks: TaskSource;
  readonly folder: RunFolder;
  readonly tell: (event: TrainEvent) => void;
  readonly signal: AbortSignal | undefined;
  readonly resumed: boolean;
}

/** Trains a policy as configured. @throws on what the configuration names and is not there; a resumable run stays resumable */
export async function train(config: TrainConfig, options: TrainOptions): Promise<Summary> {
  const folder = new RunFolder(options.directory);
  const found = options.resume ? await folder.latest() : undefined;
  const tasks = await openTasks(config, options.domains ?? (await openDomains(config)));
  const tell = options.onEvent ?? (() => {});
  const from = config.model ?? WARM_START;
  const { model, lora } = await findPolicy(from, config);
  const { estimate, budget } = planMemory(model, config, lora, true);
  tell({ type: 'memory', estimate, budget });
  const policy = await openPolicy(from, config);
  try {
    const run: Run = {
      config,
      policy,
      tasks,
      folder,
      tell,
      signal: options.signal,
      resumed: found !== undefined,
    };
    for (const message of [...warningsOf(config), ...tasks.problems])
      tell({ type: 'warning', message });
    if (config.objective.beta > 0) await policy.engine.freezeReference();
    if (found) await resume(run, found);
    else await folder.create(config);
    tell({
      type: 'start',
      config,
      directory: folder.path,
      parameters: policy.parameters,
      trained: policy.trained,
      ...(policy.lora && { lora: policy.lora }),
      engine: policy.description,
      resumedAt: found?.state.step ?? 0,
    });
    return await go(run, found?.state ?? (await firstState(run)));
  } finally {
    await Promise.all([policy.engine.close(), tasks.close()]);
  }
}

async function go(run: Run, start: RunState): Promise<Summary> {
  const { config, folder, tell, signal } = run;
  const began = performance.now();
  const parts = { engine: run.policy.engine, tokenizer: run.policy.tokenizer, tasks: run.tasks };
  const limit = config.maxGeneratedTokens ?? Number.POSITIVE_INFINITY;
  let state = start;
  let saved = run.resumed ? start.step : -1;
  while (state.step < config.steps && state.generatedTokens < limit && !signal?.aborted) {
    const step = state.step + 1;
    const stepBegan = performance.now();
    const result = await trainStep(parts, config, step, state.replay);
    const seconds = (performance.now() - stepBegan) / 1000;
    state = {
      ...state,
      step,
      replay: result.replay,
      generatedTokens: state.generatedTokens + result.generatedTokens,
      wallSeconds: start.wallSeconds + (performance.now() - began) / 1000,
      recentRewards: [...state.recentRewards, result.metrics.reward ?? 0].slice(-BEST_WINDOW),
    };
    const metrics = { ...result.metrics, num_tokens: state.generatedTokens, step_time: seconds };
    await folder.metrics(step, metrics);
    await folder.samples(result.samples);
    tell({ type: 'step', step, steps: config.steps, metrics, samples: result.samples });
    const kept = await keep(run, state);
    if (kept) {
      state = kept;
      saved = step;
    }
  }
  if (state.step !== saved) await checkpoint(run, state);
  const finished = state.step >= config.steps || state.generatedTokens >= limit;
  const after = finished ? await measure(run, 'after', state.step) : undefined;
  const wallSeconds = start.wallSeconds + (performance.now() - began) / 1000;
  const summary = summarize(config, run.policy, { ...state, wallSeconds }, after ?? null);
  await folder.summary(summary);
  tell({ type: 'end', summary, directory: folder.path });
  return summary;
}

async function firstState(run: Run): Promise<RunState> {
  const began = performance.now();
  const before = await measure(run, 'before', 0);
  if (!before)
    throw new Interrupted(
      'stopped before the first step: nothing was trained, there is nothing to resume',
    );
  return {
    step: 0,
    replay: startReplay(run.config.corrections.replay.initial),
    generatedTokens: 0,
    wallSeconds: (performance.now() - began) / 1000,
    before,
    best: null,
    recentRewards: [],
  };
}

async function resume(run: Run, from: Awaited<ReturnType<RunFolder['latest']>>): Promise<void> {
  await run.policy.engine.load(from.directory);
  await run.folder.forgetAfter(from.state.step);
  await run.folder.configure(run.config);
}

/**
 * Checkpoints when it is time to, and marks the best so far: by held-out pass@1 where measured, else by recent reward.
 * @returns the state as saved; undefined where it was not time
 */
async function keep(run: Run, state: RunState): Promise<RunState | undefined> {
  const { config } = run;
  const last = state.step === config.steps;
  const measured =
    config.evaluation.every > 0 && state.step % config.evaluation.every === 0 && !last;
  const quality = measured ? await measure(run, 'during', state.step) : undefined;
  if (!last && !measured && state.step % config.checkpointEvery !== 0) return undefined;
  const score = quality?.passAt1.mean ?? mean(state.recentRewards);
  const best = state.best === null || score > state.best.score;
  const next: RunState = best ? { ...state, best: { step: state.step, score } } : state;
  await checkpoint(run, next);
  if (best) {
    const directory = await run.folder.checkpoint('best', next, (d) =>
      savePolicy(run.policy, d, { weightsOnly: true }),
    );
    run.tell({ type: 'checkpoint', step: next.step, directory, best });
  }
  return next;
}

async function checkpoint(run: Run, state: RunState): Promise<void> {
  const directory = await run.folder.checkpoint(`step-${state.step}`, state, (d) =>
    savePolicy(run.policy, d),
  );
  await run.folder.prune(KEPT_CHECKPOINTS);
  run.tell({ type: 'checkpoint', step: state.step, directory, best: false });
}

/** @returns undefined where the run was asked to stop meanwhile */
async function measure(
  run: Run,
  phase: 'before' | 'during' | 'after',
  step: number,
): Promise<Evaluation | undefined> {
  const { config, policy, tasks, tell, signal } = run;
  const heldOut = tasks.heldOut(config.evaluation.tasks);
  const measured = await evaluate({ ...policy, signal }, heldOut, {
    samples: config.evaluation.samples,
    maxTokens: config.rollout.maxTokens,
    temperature: config.rollout.temperature,
    stopStrings: config.rollout.stopStrings,
    diagnosticsRate: config.corrections.diagnosticsRate,
    onProgress: (done, total) => tell({ type: 'evaluating', phase, done, total }),
  });
  if (!measured) return undefined;
  const { evaluation, results } = measured;
  await run.folder.results(`${phase === 'during' ? `step-${step}` : phase}`, results);
  tell({ type: 'evaluated', phase, step, evaluation });
  return evaluation;
}

function warningsOf({ corrections: c }: TrainConfig): string[] {
  return c.enabled && c.diagnosticsRate === 1 && c.replay.initial > 0
    ? [
        'corrections.diagnosticsRate is 1: every failed attempt shows diagnostics, so a prompt without them tells that the attempt is right',
      ]
    : [];
}
