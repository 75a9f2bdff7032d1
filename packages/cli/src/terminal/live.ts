/** Formats the live area: the current state of a run in a few lines. Pure. */
import sliceAnsi from 'slice-ansi';
import { formatClock, formatCount, formatMetric, formatPercent } from './format.ts';
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

const CELL_CHARS = 38;
const CURVE_CHARS = 14;
const LABEL_CHARS = 12;
const VALUE_CHARS = 8;

/** Explains the three words that only this method uses. */
const LEGEND = [
  'fix rate: incorrect attempts corrected',
  'retention: correct ones kept',
  'rho: target share of correct anchors',
];

/** Lines no wider than `columns`. */
export function liveLines(state: Progress, nowMs: number, columns: number, style: Style): string[] {
  const width = Math.max(20, columns - 1);
  const lines = ['', progressLine(state, nowMs, width, style)];
  if (state.history.length > 0) {
    lines.push(...arrangeCells(cellsOf(state, style), width));
    if (hasCorrections(state)) {
      lines.push(...joinParts(LEGEND, width).map((line) => style.dim(line)));
    }
  }
  return lines.map((line) => sliceAnsi(line, 0, width));
}

/** As few lines as the width allows, without breaking a part. */
function joinParts(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const joined = `${last} · ${part}`;
    if (last === undefined || joined.length > width) lines.push(part);
    else lines[lines.length - 1] = joined;
  }
  return lines;
}

function hasCorrections(state: Progress): boolean {
  return state.config?.corrections.enabled !== false;
}

function progressLine(state: Progress, nowMs: number, width: number, style: Style): string {
  const { evaluating } = state;
  const share = evaluating ? evaluating.done / Math.max(1, evaluating.total) : shareDone(state);
  const label = evaluating
    ? `evaluating ${PHASES[evaluating.phase]}  ${evaluating.done}/${evaluating.total} tasks`
    : `step ${state.step}/${state.steps}`;
  const left = secondsLeft(state, nowMs);
  const times = `${formatClock((nowMs - state.startedMs) / 1000)}${Number.isNaN(left) ? '' : `  about ${formatClock(left)} left`}`;
  const { done, left: rest } = bar(share, Math.max(8, Math.min(32, width - label.length - 36)));
  return `${style.cyan(done)}${style.dim(rest)}  ${style.bold(label)}  ${style.dim(times)}`;
}

const PHASES = { before: 'before training', during: 'held-out tasks', after: 'after training' };

interface Cell {
  readonly label: string;
  readonly value: string;
  readonly curve: string;
}

function cellsOf(state: Progress, style: Style): string[] {
  const curve = (name: string) => sparkline(series(state, name), CURVE_CHARS);
  const share = (label: string, name: string): Cell => ({
    label,
    value: formatPercent(recent(state, name)),
    curve: curve(name),
  });
  const number = (label: string, name: string): Cell => ({
    label,
    value: formatMetric(recent(state, name)),
    curve: curve(name),
  });
  const speed: Cell = { label: 'tokens/s', value: formatCount(tokensPerSecond(state)), curve: '' };
  const base = [number('reward', 'reward')];
  const corrections = [
    number('corrections', 'correction/reward'),
    share('fix rate', 'correction/fix_rate'),
    share('retention', 'correction/retention'),
    number('rho', 'correction/rho'),
  ];
  const shown = hasCorrections(state) ? [...base, ...corrections] : base;
  return [...shown, number('entropy', 'entropy'), speed].map((cell) => formatCell(cell, style));
}

function formatCell({ label, value, curve }: Cell, style: Style): string {
  const text = `${style.dim(label.padEnd(LABEL_CHARS))}${style.bold(value.padStart(VALUE_CHARS))}  ${style.green(curve)}`;
  const length = LABEL_CHARS + VALUE_CHARS + 2 + curve.length;
  return text + ' '.repeat(Math.max(0, CELL_CHARS - length));
}

/** Rows with as many cells side by side as fit. */
function arrangeCells(cells: readonly string[], width: number): string[] {
  const perRow = Math.max(1, Math.floor((width + 2) / CELL_CHARS));
  return Array.from({ length: Math.ceil(cells.length / perRow) }, (_, row) =>
    cells.slice(row * perRow, (row + 1) * perRow).join(''),
  );
}
