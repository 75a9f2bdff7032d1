/** Lines for a run without a live area, and the opening and closing words of every run. Pure. */
import { relative } from 'node:path';
import type { Summary, TrainEvent } from '@cipo/trainer';
import { preview } from '@cipo/verifier/types';
import { clock, metric, percent, short, whole } from './format.ts';
import { oneLine } from './guest.ts';
import { type Progress, recent, secondsLeft, tokensPerSecond } from './progress.ts';
import type { Style } from './style.ts';
import { beforeAfterTable, measures, qualityTable, TABLE_NOTES } from './table.ts';

/** What is about to happen, told once. */
export function openingLines(
  event: Extract<TrainEvent, { type: 'start' }>,
  style: Style,
): string[] {
  const { config, parameters, engine, resumedAt } = event;
  const from = config.model === undefined ? 'the shipped warm start' : config.model;
  const streams = config.corrections.enabled ? 'attempts and corrections' : 'attempts only';
  const row = (label: string, text: string) => `  ${style.dim(label.padEnd(9))}${text}`;
  return [
    `${style.bold('cipo')} ${style.dim('·')} preset ${config.preset} ${style.dim('·')} seed ${config.seed}${
      resumedAt > 0 ? ` ${style.dim('·')} resumed at step ${resumedAt}` : ''
    }`,
    row('policy', `${short(parameters)} parameters, from ${from}`),
    row('trained', trainedText(event)),
    row('engine', engine),
    row(
      'training',
      `${config.steps} steps of ${config.rollout.prompts} prompts × ${config.rollout.groupSize} rollouts, ${streams}`,
    ),
    row(
      'run',
      `${here(event.directory)}${style.dim('   (Ctrl-C stops after the current step and saves)')}`,
    ),
  ];
}

function trainedText({
  parameters,
  trained,
  lora,
}: Extract<TrainEvent, { type: 'start' }>): string {
  if (!lora) return 'all of them';
  const { rank, alpha, targetModules, rslora } = lora;
  const where = typeof targetModules === 'string' ? targetModules : targetModules.join(', ');
  const share = ((100 * trained) / parameters).toFixed(1);
  return `adapters of rank ${rank}, alpha ${alpha}${rslora ? ', rslora' : ''} on ${where}: ${short(trained)} parameters (${share} %)`;
}

/** `mergedWeights` -> `merged weights` */
const words = (name: string): string => name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`);

/** What the run will take of the memory, before anything is loaded. */
export function memoryLine(
  { estimate, budget }: Extract<TrainEvent, { type: 'memory' }>,
  style: Style,
): string {
  const gigabytes = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
  const { total, ...parts } = estimate;
  const largest = Object.entries(parts)
    .filter(([, bytes]) => bytes >= total / 50)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, bytes]) => `${words(name)} ${gigabytes(bytes)}`);
  const text = `about ${gigabytes(total)} of ${gigabytes(budget)} GB: ${largest.join(', ')}`;
  return `  ${style.dim('memory'.padEnd(9))}${text}`;
}

/** `step 12/100  reward 0.470  ...`. */
export function stepLine(state: Progress, nowMs: number): string {
  const corrections = state.config?.corrections.enabled === false ? [] : correctionParts(state);
  const left = secondsLeft(state, nowMs);
  return [
    `step ${state.step}/${state.steps}`,
    `reward ${metric(recent(state, 'reward'))}`,
    ...corrections,
    `entropy ${metric(recent(state, 'entropy'))}`,
    `${whole(tokensPerSecond(state))} tokens/s`,
    ...(Number.isNaN(left) ? [] : [`about ${clock(left)} left`]),
  ].join('  ');
}

function correctionParts(state: Progress): string[] {
  return [
    `corrections ${metric(recent(state, 'correction/reward'))}`,
    `fix ${percent(recent(state, 'correction/fix_rate'))}`,
    `retention ${percent(recent(state, 'correction/retention'))}`,
    `rho ${metric(recent(state, 'correction/rho'))}`,
  ];
}

const PHASES = { before: 'before training', during: 'during training', after: 'after training' };

export function evaluatingLine(event: Extract<TrainEvent, { type: 'evaluating' }>): string {
  return `evaluating ${PHASES[event.phase]}: ${event.done}/${event.total}`;
}

export function evaluatedLine(
  event: Extract<TrainEvent, { type: 'evaluated' }>,
  style: Style,
): string {
  const { evaluation } = event;
  const { voided } = evaluation;
  const parts = [
    ...measures(evaluation.k).map(([key, name]) => `${name} ${percent(evaluation[key].mean)}`),
    ...(voided > 0 ? [style.yellow(`${voided} without a judgement`)] : []),
  ];
  const when = event.phase === 'during' ? `held out at step ${event.step}` : PHASES[event.phase];
  return `${style.cyan('●')} ${when}: ${parts.join('  ')}`;
}

/** @param reason of one of them, as the judge gave it. */
export function voidLines(share: number, reason: string | undefined, style: Style): string[] {
  const why = reason === undefined ? '' : ` One of them: ${preview(oneLine(reason), 300)}.`;
  return [
    style.yellow(
      `! ${percent(share)} of the attempts got no judgement; they are left out, not counted as wrong.${why} \`npx cipo doctor\` tests the judges.`,
    ),
  ];
}

/** The table and where everything lies. `report` is the path of report.html, where it could be written. */
export function closingLines(
  summary: Summary,
  directory: string,
  report: string | undefined,
  style: Style,
): string[] {
  const file = (name: string, what: string) => `  ${name.padEnd(16)}${style.dim(what)}`;
  return [
    '',
    ...qualityLines(summary, style),
    '',
    `${whole(summary.generatedTokens)} tokens generated in ${clock(summary.wallSeconds)}. Everything is in ${style.bold(here(directory))}:`,
    ...(report === undefined
      ? []
      : [file('report.html', 'curves, and every kept attempt and correction')]),
    file('summary.json', 'the numbers above'),
    file('metrics.jsonl', 'every metric of every step (docs/reference/metrics.md)'),
    file('samples.jsonl', 'attempts, verdicts, corrections'),
    file('checkpoints/', 'the last and the best policy'),
  ];
}

function qualityLines(summary: Summary, style: Style): string[] {
  const { before, after } = summary.intervals;
  const voided = before.voided + (after?.voided ?? 0);
  const title = after
    ? `Held-out tasks before and after ${summary.steps} steps`
    : `Held-out tasks before training; the run stopped before it was measured again`;
  return [
    style.bold(title),
    after ? beforeAfterTable(before, after, style) : qualityTable(before, style),
    ...(after ? TABLE_NOTES.map((note) => style.dim(note)) : []),
    ...(voided > 0
      ? [style.yellow(`${voided} attempts got no judgement and count in no share.`)]
      : []),
  ];
}

/** A path as one would type it from here. */
export function here(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' ? '.' : near.startsWith('..') ? path : near;
}
