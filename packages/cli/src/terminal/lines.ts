/** Formats the lines of a run: its start, its steps and evaluations in plain output, and its results. Pure. */
import { relative } from 'node:path';
import type { Summary, TrainEvent } from '@cipo/trainer';
import { preview } from '@cipo/verifier/types';
import {
  formatClock,
  formatCount,
  formatMetric,
  formatPercent,
  formatShort,
  plural,
} from './format.ts';
import { oneLine } from './guest.ts';
import { type Progress, recent, secondsLeft, tokensPerSecond } from './progress.ts';
import type { Style } from './style.ts';
import { beforeAfterTable, measures, qualityTable, TABLE_NOTES } from './table.ts';

/** What the run is going to do. */
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
    row('policy', `${formatShort(parameters)} parameters, from ${from}`),
    row('trained', trainedText(event)),
    row('engine', engine),
    row(
      'training',
      `${config.steps} steps of ${config.rollout.prompts} prompts × ${config.rollout.groupSize} rollouts, ${streams}`,
    ),
    row(
      'run',
      `${shortPath(event.directory)}${style.dim('   (Ctrl-C stops after the current step and saves)')}`,
    ),
  ];
}

function trainedText({
  parameters,
  trained,
  lora,
}: Extract<TrainEvent, { type: 'start' }>): string {
  if (!lora) return 'all parameters';
  const { rank, alpha, targetModules, rslora } = lora;
  const targets = typeof targetModules === 'string' ? targetModules : targetModules.join(', ');
  const share = ((100 * trained) / parameters).toFixed(1);
  return `adapters of rank ${rank}, alpha ${alpha}${rslora ? ', rslora' : ''} on ${targets}: ${formatShort(trained)} parameters (${share} %)`;
}

/** `mergedWeights` -> `merged weights` */
function splitCamelCase(name: string): string {
  return name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`);
}

/** The memory that the run is going to need. */
export function memoryLine(
  { estimate, budget }: Extract<TrainEvent, { type: 'memory' }>,
  style: Style,
): string {
  const gibibytes = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
  const { total, ...parts } = estimate;
  const largest = Object.entries(parts)
    .filter(([, bytes]) => bytes >= total / 50)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, bytes]) => `${splitCamelCase(name)} ${gibibytes(bytes)}`);
  const text = `about ${gibibytes(total)} of ${gibibytes(budget)} GiB: ${largest.join(', ')}`;
  return `  ${style.dim('memory'.padEnd(9))}${text}`;
}

/** `step 12/100  reward 0.470  ...`. */
export function stepLine(state: Progress, nowMs: number): string {
  const corrections = state.config?.corrections.enabled === false ? [] : correctionParts(state);
  const left = secondsLeft(state, nowMs);
  return [
    `step ${state.step}/${state.steps}`,
    `reward ${formatMetric(recent(state, 'reward'))}`,
    ...corrections,
    `entropy ${formatMetric(recent(state, 'entropy'))}`,
    `${formatCount(tokensPerSecond(state))} tokens/s`,
    ...(Number.isNaN(left) ? [] : [`about ${formatClock(left)} left`]),
  ].join('  ');
}

function correctionParts(state: Progress): string[] {
  return [
    `corrections ${formatMetric(recent(state, 'correction/reward'))}`,
    `fix ${formatPercent(recent(state, 'correction/fix_rate'))}`,
    `retention ${formatPercent(recent(state, 'correction/retention'))}`,
    `rho ${formatMetric(recent(state, 'correction/rho'))}`,
  ];
}

const PHASES = { before: 'before training', during: 'during training', after: 'after training' };

/** `evaluating before training: 100/400 tasks`. */
export function evaluatingLine(event: Extract<TrainEvent, { type: 'evaluating' }>): string {
  return `evaluating ${PHASES[event.phase]}: ${event.done}/${event.total} tasks`;
}

export function evaluatedLine(
  event: Extract<TrainEvent, { type: 'evaluated' }>,
  style: Style,
): string {
  const { evaluation } = event;
  const { voided } = evaluation;
  const parts = [
    ...measures(evaluation.k).map(
      ([key, name]) => `${name} ${formatPercent(evaluation[key].mean)}`,
    ),
    ...(voided > 0 ? [style.yellow(`${voided} without a judgement`)] : []),
  ];
  const phase =
    event.phase === 'during' ? `held-out tasks at step ${event.step}` : PHASES[event.phase];
  return `${style.cyan('●')} ${phase}: ${parts.join('  ')}`;
}

/** A warning that many attempts have no verdict. @param reason the reason of one of them, as the judge gave it */
export function voidLines(share: number, reason: string | undefined, style: Style): string[] {
  const example =
    reason === undefined ? '' : ` The first reason: ${preview(oneLine(reason), 300)}.`;
  return [
    style.yellow(
      `! ${formatPercent(share)} of the attempts got no judgement. They are excluded, not counted as incorrect.${example} \`npx cipo doctor\` tests the judges.`,
    ),
  ];
}

/** The results and the files of the run. @param report path of report.html, if it was written */
export function closingLines(
  summary: Summary,
  directory: string,
  report: string | undefined,
  style: Style,
): string[] {
  const file = (name: string, content: string) => `  ${name.padEnd(16)}${style.dim(content)}`;
  return [
    '',
    ...qualityLines(summary, style),
    '',
    `${formatCount(summary.generatedTokens)} tokens generated in ${formatClock(summary.wallSeconds)}. The run is in ${style.bold(shortPath(directory))}:`,
    ...(report === undefined ? [] : [file('report.html', 'curves, sampled attempts, corrections')]),
    file('summary.json', 'the numbers above'),
    file('metrics.jsonl', 'all metrics of every step (docs/reference/metrics.md)'),
    file('samples.jsonl', 'sampled attempts and corrections with their verdicts'),
    file('checkpoints/', 'the last and the best policy'),
  ];
}

function qualityLines(summary: Summary, style: Style): string[] {
  const { before, after } = summary.intervals;
  const voided = before.voided + (after?.voided ?? 0);
  const title = after
    ? `Held-out tasks before and after ${summary.steps} steps`
    : 'Held-out tasks before training; the run stopped before the second evaluation';
  return [
    style.bold(title),
    after ? beforeAfterTable(before, after, style) : qualityTable(before, style),
    ...(after ? TABLE_NOTES.map((note) => style.dim(note)) : []),
    ...(voided > 0
      ? [
          style.yellow(
            `${plural(voided, 'attempt')} got no judgement and are excluded from every share.`,
          ),
        ]
      : []),
  ];
}

/** The path relative to the current folder, if it is below it. */
export function shortPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' ? '.' : near.startsWith('..') ? path : near;
}
