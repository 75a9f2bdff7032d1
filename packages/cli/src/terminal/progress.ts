/**
 * The state of a run as known from its events: curves, speed, time left.
 * Pure: `advance(state, event, nowMs)` returns the next state. Leaves out: drawing (live.ts, lines.ts).
 */
import { mean } from '@cipo/support';
import type { Evaluation, Metrics, TrainConfig, TrainEvent } from '@cipo/trainer';

/** The latest steps, whose mean is shown as the current value. */
const RECENT = 10;

type Phase = 'before' | 'during' | 'after';

export interface Progress {
  readonly startedMs: number;
  readonly config?: TrainConfig;
  readonly directory?: string;
  readonly parameters?: number;
  readonly engine?: string;
  readonly firstStep: number;
  readonly step: number;
  readonly steps: number;
  /** Metrics of every step seen, in order. */
  readonly history: readonly Metrics[];
  /** Wall milliseconds of the most recent steps. */
  readonly recentStepsMs: readonly number[];
  readonly lastStepMs?: number;
  readonly evaluating?: { readonly phase: Phase; readonly done: number; readonly total: number };
  readonly evaluationStartedMs?: number;
  /** Duration of the last evaluation, an estimate for the next one. */
  readonly evaluationMs: number;
  readonly evaluations: Partial<Readonly<Record<Phase, Evaluation>>>;
  readonly bestDirectory?: string;
}

export function begin(nowMs: number): Progress {
  return {
    startedMs: nowMs,
    firstStep: 0,
    step: 0,
    steps: 0,
    history: [],
    recentStepsMs: [],
    evaluationMs: 0,
    evaluations: {},
  };
}

export function advance(state: Progress, event: TrainEvent, nowMs: number): Progress {
  switch (event.type) {
    case 'start': {
      const { config, directory, parameters, engine, resumedAt } = event;
      const start = { config, directory, parameters, engine, steps: config.steps };
      return { ...state, ...start, firstStep: resumedAt, step: resumedAt, lastStepMs: nowMs };
    }
    case 'evaluating':
      return startEvaluating(state, event, nowMs);
    case 'evaluated':
      return endEvaluating(state, event, nowMs);
    case 'step':
      return takeStep(state, event, nowMs);
    case 'checkpoint':
      return event.best ? { ...state, bestDirectory: event.directory } : state;
    default:
      return state;
  }
}

function startEvaluating(
  state: Progress,
  event: Extract<TrainEvent, { type: 'evaluating' }>,
  nowMs: number,
): Progress {
  const { phase, done, total } = event;
  const evaluationStartedMs = state.evaluating ? (state.evaluationStartedMs ?? nowMs) : nowMs;
  return { ...state, evaluating: { phase, done, total }, evaluationStartedMs };
}

function endEvaluating(
  state: Progress,
  event: Extract<TrainEvent, { type: 'evaluated' }>,
  nowMs: number,
): Progress {
  const { evaluating: _, evaluationStartedMs = nowMs, ...rest } = state;
  return {
    ...rest,
    evaluations: { ...state.evaluations, [event.phase]: event.evaluation },
    evaluationMs: nowMs - evaluationStartedMs,
    lastStepMs: nowMs,
  };
}

function takeStep(
  state: Progress,
  event: Extract<TrainEvent, { type: 'step' }>,
  nowMs: number,
): Progress {
  return {
    ...state,
    step: event.step,
    steps: event.steps,
    history: [...state.history, event.metrics],
    recentStepsMs: [...state.recentStepsMs, nowMs - (state.lastStepMs ?? nowMs)].slice(-RECENT),
    lastStepMs: nowMs,
  };
}

/** All values of a metric; NaN for a step without it. */
export function series(state: Progress, name: string): number[] {
  return state.history.map((metrics) => metrics[name] ?? Number.NaN);
}

/** Mean of a metric over the last steps that had it. */
export function recent(state: Progress, name: string): number {
  return mean(series(state, name).filter(Number.isFinite).slice(-RECENT));
}

/** The share of training that is done, by steps or by the token budget, whichever is larger. */
export function shareDone(state: Progress): number {
  const bySteps = state.steps === 0 ? 0 : state.step / state.steps;
  const budget = state.config?.maxGeneratedTokens;
  const tokens = state.history.at(-1)?.num_tokens;
  return Math.min(1, budget && tokens ? Math.max(bySteps, tokens / budget) : bySteps);
}

/** Seconds left, including the evaluation at the end; NaN before the first step. */
export function secondsLeft(state: Progress, nowMs: number): number {
  if (state.evaluating) return evaluationSecondsLeft(state, nowMs);
  const share = shareDone(state);
  const total = share > 0 ? state.step / share : state.steps;
  const trainingMs = Math.max(0, total - state.step) * mean(state.recentStepsMs);
  const sinceMs = nowMs - (state.lastStepMs ?? nowMs);
  return (
    Math.max(0, trainingMs - Math.min(sinceMs, mean(state.recentStepsMs)) + state.evaluationMs) /
    1000
  );
}

function evaluationSecondsLeft(state: Progress, nowMs: number): number {
  const { done, total } = state.evaluating ?? { done: 0, total: 0 };
  const elapsedMs = nowMs - (state.evaluationStartedMs ?? nowMs);
  return done === 0 ? Number.NaN : (elapsedMs / done) * (total - done) * 0.001;
}

/** Generated tokens per second over the recent steps. `num_tokens` counts from the start of the run. */
export function tokensPerSecond(state: Progress): number {
  const counts = series(state, 'num_tokens');
  const times = series(state, 'step_time').slice(-RECENT);
  const last = counts.at(-1) ?? Number.NaN;
  const before = counts.at(-1 - times.length) ?? (state.firstStep === 0 ? 0 : Number.NaN);
  return (last - before) / times.reduce((sum, time) => sum + time, 0);
}
