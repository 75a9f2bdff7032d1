/** The live area: what a run looks like right now, in a few lines. Pure. */
import sliceAnsi from 'slice-ansi';
import { clock, metric, percent, whole } from './format.ts';
import {
  type Progress,
  recent,
  secondsLeft,
  series,
  shareDone,
  tokensPerSecond,
} from './progress.ts';
import { bar, sparkline } from './spark.ts';
import type { Style } from './style.ts';

const CELL = 38;

/** Lines no wider than `columns`. */
export function liveLines(state: Progress, nowMs: number, columns: number, style: Style): string[] {
  const width = Math.max(20, columns - 1);
  const lines = ['', progressLine(state, nowMs, width, style)];
  if (state.history.length > 0) lines.push(...grid(cells(state, style), width));
  return lines.map((line) => sliceAnsi(line, 0, width));
}

function progressLine(state: Progress, nowMs: number, width: number, style: Style): string {
  const { evaluating } = state;
  const share = evaluating ? evaluating.done / Math.max(1, evaluating.total) : shareDone(state);
  const what = evaluating
    ? `evaluating ${PHASES[evaluating.phase]}  ${evaluating.done}/${evaluating.total}`
    : `step ${state.step}/${state.steps}`;
  const left = secondsLeft(state, nowMs);
  const times = `${clock((nowMs - state.startedMs) / 1000)}${Number.isNaN(left) ? '' : `  about ${clock(left)} left`}`;
  const { done, left: rest } = bar(share, Math.max(8, Math.min(32, width - what.length - 36)));
  return `${style.cyan(done)}${style.dim(rest)}  ${style.bold(what)}  ${style.dim(times)}`;
}

const PHASES = { before: 'before training', during: 'held-out tasks', after: 'after training' };

interface Cell {
  readonly label: string;
  readonly value: string;
  readonly curve: string;
}

function cells(state: Progress, style: Style): string[] {
  const curve = (name: string) => sparkline(series(state, name), 14);
  const share = (label: string, name: string): Cell => ({
    label,
    value: percent(recent(state, name)),
    curve: curve(name),
  });
  const number = (label: string, name: string): Cell => ({
    label,
    value: metric(recent(state, name)),
    curve: curve(name),
  });
  const pace: Cell = { label: 'tokens/s', value: whole(tokensPerSecond(state)), curve: '' };
  const base = [number('reward', 'reward')];
  const corrections = [
    number('corrections', 'correction/reward'),
    share('fix rate', 'correction/fix_rate'),
    share('retention', 'correction/retention'),
    number('rho', 'correction/rho'),
  ];
  const shown = state.config?.corrections.enabled === false ? base : [...base, ...corrections];
  return [...shown, number('entropy', 'entropy'), pace].map((cell) => draw(cell, style));
}

function draw({ label, value, curve }: Cell, style: Style): string {
  const text = `${style.dim(label.padEnd(12))}${style.bold(value.padStart(8))}  ${style.green(curve)}`;
  return text + ' '.repeat(Math.max(0, CELL - 22 - curve.length));
}

/** As many cells side by side as fit. */
function grid(all: readonly string[], width: number): string[] {
  const across = Math.max(1, Math.floor((width + 2) / CELL));
  return Array.from({ length: Math.ceil(all.length / across) }, (_, row) =>
    all.slice(row * across, (row + 1) * across).join(''),
  );
}
