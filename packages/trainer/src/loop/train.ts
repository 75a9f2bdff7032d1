/**
 * A training run around `trainStep`: evaluates the policy, trains it, saves checkpoints, evaluates it again and writes
 * the summary. A run can resume from each of its checkpoints.
 */
import { mean } from '@cipo/support';
import type { DomainSet } from '@cipo/verifier/domains';
import type { TrainConfig } from '../config.ts';
import { startReplay } from '../corrections/replay.ts';
import { Interrupted } from '../errors.ts';
import { evaluate, evaluateOptions } from '../evaluation/evaluate.ts';
import type { Evaluation, Summary, TrainEvent } from '../events.ts';
import { openPlanned, type Policy, planPolicy, savePolicy, WARM_START } from '../policy/policy.ts';
import { type Checkpoint, RunFolder, type RunState } from '../run/folder.ts';
import { summarize } from '../run/summary.ts';
import { openDomains } from '../tasks/domains.ts';
import { openTasks } from '../tasks/open.ts';
import type { TaskSource } from '../tasks/source.ts';
import { trainStep } from './step.ts';

/** Options of {@link train}. */
export interface TrainOptions {
  /** Folder of the run's files (docs/architecture.md, "A run on disk"). */
  readonly directory: string;
  /** Continue from the newest checkpoint in `directory`. */
  readonly resume?: boolean;
  /** Stops the run after the current step: it writes a checkpoint, and its summary says `interrupted`. */
  readonly signal?: AbortSignal;
  /** Receives every event of the run, in order. */
  readonly onEvent?: (event: TrainEvent) => void;
  /**
   * Domains that judge the attempts; `train` closes them. Default: math, code and the plug-ins of the configuration.
   */
  readonly domains?: DomainSet;
}

/** Number of latest steps whose mean reward scores a checkpoint that no evaluation measured. */
const SCORED_STEPS = 10;
const KEPT_CHECKPOINTS = 2;

interface Run {
  readonly config: TrainConfig;
  readonly policy: Policy;
  readonly tasks: TaskSource;
  readonly folder: RunFolder;
  readonly emit: (event: TrainEvent) => void;
  readonly signal: AbortSignal | undefined;
  /** The checkpoint that the run resumed from. */
  readonly checkpoint: Checkpoint | undefined;
}

/**
 * Trains a policy as configured and writes the files of the run.
 *
 * @returns the summary, which is also `summary.json`
 * @throws if a model, file or domain of the configuration cannot be opened, the run does not fit in memory, or `resume`
 * is set and there is no checkpoint; {@link Interrupted} if `signal` aborts before the first step. Checkpoints written
 * before an error stay resumable.
 */
export async function train(config: TrainConfig, options: TrainOptions): Promise<Summary> {
  const tasks = await openTasks(config, options.domains ?? (await openDomains(config)));
  try {
    const folder = new RunFolder(options.directory);
    const checkpoint = options.resume ? await folder.latestCheckpoint() : undefined;
    const emit = options.onEvent ?? (() => {});
    const policy = await openTrainedPolicy(config, emit);
    try {
      const { signal } = options;
      const run: Run = { config, policy, tasks, folder, emit, signal, checkpoint };
      return await runSteps(run, await startRun(run));
    } finally {
      await policy.engine.close();
    }
  } finally {
    await tasks.close();
  }
}

/** Announces the memory that the run needs, then opens the policy. */
async function openTrainedPolicy(config: TrainConfig, emit: Run['emit']): Promise<Policy> {
  const directory = config.model ?? WARM_START;
  const planned = await planPolicy(directory, config);
  const { estimate, budget } = planned.memory;
  emit({ type: 'memory', estimate, budget });
  return openPlanned(planned, config);
}

/** Creates the run's folder or restores its checkpoint. @returns the state to continue from */
async function startRun(run: Run): Promise<RunState> {
  const { config, policy, tasks, folder, emit, checkpoint } = run;
  for (const message of [...configWarnings(config), ...tasks.warnings]) {
    emit({ type: 'warning', message });
  }
  if (config.objective.beta > 0) await policy.engine.freezeReference();
  if (checkpoint) await restore(run, checkpoint);
  else await folder.create(config);
  emit({
    type: 'start',
    config,
    directory: folder.path,
    parameters: policy.parameters,
    trained: policy.trained,
    ...(policy.lora && { lora: policy.lora }),
    engine: policy.description,
    resumedAt: checkpoint?.state.step ?? 0,
  });
  return checkpoint?.state ?? (await firstState(run));
}

async function restore(
  { config, policy, folder }: Run,
  { directory, state }: Checkpoint,
): Promise<void> {
  await policy.engine.load(directory);
  await folder.discardAfter(state.step);
  await folder.writeConfig(config);
}

async function firstState(run: Run): Promise<RunState> {
  const startedAt = performance.now();
  const before = await evaluateHeldOut(run, 'before', 0);
  if (!before) {
    throw new Interrupted(
      'stopped before the first step: nothing was trained, there is nothing to resume',
    );
  }
  return {
    step: 0,
    replay: startReplay(run.config.corrections.replay.initial),
    generatedTokens: 0,
    wallSeconds: secondsSince(startedAt),
    before,
    best: null,
    recentRewards: [],
  };
}

/** Trains up to the last step, the token limit or an abort; then evaluates, unless aborted, and sums up. */
async function runSteps(run: Run, start: RunState): Promise<Summary> {
  const { config, policy, folder, emit, signal } = run;
  const startedAt = performance.now();
  const wallSeconds = () => start.wallSeconds + secondsSince(startedAt);
  const tokenLimit = config.maxGeneratedTokens ?? Number.POSITIVE_INFINITY;
  const isFinished = () => state.step >= config.steps || state.generatedTokens >= tokenLimit;
  let state = start;
  let savedStep = run.checkpoint?.state.step;
  while (!isFinished() && !signal?.aborted) {
    state = { ...(await runStep(run, state)), wallSeconds: wallSeconds() };
    const saved = await maybeCheckpoint(run, state);
    if (saved) {
      state = saved;
      savedStep = saved.step;
    }
  }
  if (state.step !== savedStep) await saveCheckpoint(run, state);
  const after = isFinished() ? await evaluateHeldOut(run, 'after', state.step) : undefined;
  const summary = summarize(
    config,
    policy,
    { ...state, wallSeconds: wallSeconds() },
    after ?? null,
  );
  await folder.writeSummary(summary);
  emit({ type: 'end', summary, directory: folder.path });
  return summary;
}

/** Runs and records the next step. @returns the state after it, with the wall time of the state before */
async function runStep(run: Run, state: RunState): Promise<RunState> {
  const { config, policy, tasks, folder, emit } = run;
  const step = state.step + 1;
  const startedAt = performance.now();
  const parts = { engine: policy.engine, tokenizer: policy.tokenizer, tasks };
  const result = await trainStep(parts, config, step, state.replay);
  const generatedTokens = state.generatedTokens + result.generatedTokens;
  const metrics = {
    ...result.metrics,
    num_tokens: generatedTokens,
    step_time: secondsSince(startedAt),
  };
  await folder.appendMetrics(step, metrics);
  await folder.appendSamples(result.samples);
  emit({ type: 'step', step, steps: config.steps, metrics, samples: result.samples });
  const { reward } = result.metrics; // absent if no attempt was judged
  const rewards = reward === undefined ? state.recentRewards : [...state.recentRewards, reward];
  return {
    ...state,
    step,
    replay: result.replay,
    generatedTokens,
    recentRewards: rewards.slice(-SCORED_STEPS),
  };
}

/**
 * Saves a checkpoint if one is due, and saves it as `best` too if none before scored higher: by held-out pass@1 if this
 * step was evaluated, else by the mean reward of the latest steps.
 * @returns the saved state; undefined if no checkpoint was due
 */
async function maybeCheckpoint(run: Run, state: RunState): Promise<RunState | undefined> {
  const { checkpointEvery, evaluation, steps } = run.config;
  const isLast = state.step === steps;
  const isEvaluated = evaluation.every > 0 && state.step % evaluation.every === 0 && !isLast;
  const quality = isEvaluated ? await evaluateHeldOut(run, 'during', state.step) : undefined;
  if (!isLast && !isEvaluated && state.step % checkpointEvery !== 0) return undefined;
  // NaN if no attempt was judged: such a checkpoint is never the best one.
  const score = quality?.passAt1.mean ?? mean(state.recentRewards);
  const isBest = score > (state.best?.score ?? Number.NEGATIVE_INFINITY);
  const next: RunState = isBest ? { ...state, best: { step: state.step, score } } : state;
  await saveCheckpoint(run, next);
  if (isBest) await saveBest(run, next);
  return next;
}

async function saveCheckpoint({ policy, folder, emit }: Run, state: RunState): Promise<void> {
  const save = (target: string) => savePolicy(policy, target);
  const directory = await folder.saveCheckpoint(`step-${state.step}`, state, save);
  await folder.pruneCheckpoints(KEPT_CHECKPOINTS);
  emit({ type: 'checkpoint', step: state.step, directory, best: false });
}

async function saveBest({ policy, folder, emit }: Run, state: RunState): Promise<void> {
  const save = (target: string) => savePolicy(policy, target, { weightsOnly: true });
  const directory = await folder.saveCheckpoint('best', state, save);
  emit({ type: 'checkpoint', step: state.step, directory, best: true });
}

/** @returns undefined if the signal aborted the evaluation */
async function evaluateHeldOut(
  run: Run,
  phase: 'before' | 'during' | 'after',
  step: number,
): Promise<Evaluation | undefined> {
  const { config, policy, tasks, folder, emit, signal } = run;
  const measured = await evaluate({ ...policy, signal }, tasks.heldOut(config.evaluation.tasks), {
    ...evaluateOptions(config),
    onProgress: (done, total) => emit({ type: 'evaluating', phase, done, total }),
  });
  if (!measured) return undefined;
  const { evaluation, results } = measured;
  await folder.writeResults(phase === 'during' ? `step-${step}` : phase, results);
  emit({ type: 'evaluated', phase, step, evaluation });
  return evaluation;
}

function configWarnings({ corrections }: TrainConfig): string[] {
  const { enabled, diagnosticsRate, replay } = corrections;
  if (!enabled || diagnosticsRate < 1 || replay.initial === 0) return [];
  return [
    'corrections.diagnosticsRate is 1: every incorrect attempt is shown with diagnostics, so a prompt without them reveals that the attempt is correct; use a value below 1',
  ];
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000;
}
