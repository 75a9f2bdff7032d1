/** Formats held-out quality as tables: before and after training, or a single evaluation. Pure. */
import type { Estimate, Evaluation, Quality } from '@cipo/trainer';
import Table from 'cli-table3';
import { formatInterval, formatPoints } from './format.ts';
import { oneLine } from './guest.ts';
import type { Style } from './style.ts';

/** The measures in order, with their names. @param k attempts per task */
export function measures(k: number): readonly (readonly [keyof Quality, string])[] {
  return [
    ['passAt1', 'pass@1'],
    ...(k > 1 ? [['passAtK', `pass@${k}`] as const] : []),
    ['fixRate', 'fix rate'],
    ['retention', 'retention'],
  ];
}

/** Whether the 95 % intervals do not overlap. */
export function areApart(before: Estimate, after: Estimate): boolean {
  return after.low > before.high || after.high < before.low;
}

/** One row per measure in total, and one per kind of task. */
export function beforeAfterTable(before: Evaluation, after: Evaluation, style: Style): string {
  const table = createTable(['', 'before', 'after', 'change'], style);
  for (const [key, name] of measures(before.k)) {
    table.push([style.bold(name), ...comparisonCells(before[key], after[key], style)]);
    for (const kind of sharedKinds(before, after)) {
      const [old, now] = [before.perKind[kind], after.perKind[kind]];
      if (old && now) {
        const label = style.dim(`  ${oneLine(kind)}`);
        table.push([label, ...comparisonCells(old[key], now[key], style)]);
      }
    }
  }
  return table.toString();
}

function sharedKinds(before: Evaluation, after: Evaluation): string[] {
  const kinds = Object.keys(before.perKind).filter((kind) => Object.hasOwn(after.perKind, kind));
  return kinds.length > 1 ? kinds : []; // one kind is the total
}

function comparisonCells(before: Estimate, after: Estimate, style: Style): string[] {
  const change = formatPoints(before.mean, after.mean);
  const isClear = areApart(before, after);
  const paint = !isClear ? style.dim : after.mean > before.mean ? style.green : style.red;
  return [formatInterval(before), formatInterval(after), paint(isClear ? `${change} *` : change)];
}

/** A single evaluation: one column in total and one per kind of task. */
export function qualityTable(evaluation: Evaluation, style: Style): string {
  const kinds = Object.entries(evaluation.perKind);
  const columns = kinds.length > 1 ? kinds : [];
  const table = createTable(['', 'total', ...columns.map(([kind]) => oneLine(kind))], style);
  for (const [key, name] of measures(evaluation.k)) {
    table.push([
      style.bold(name),
      formatInterval(evaluation[key]),
      ...columns.map(([, quality]) => formatInterval(quality[key])),
    ]);
  }
  return table.toString();
}

/** The meaning of brackets and marks, printed under the tables. */
export const TABLE_NOTES = [
  'Brackets: 95 % interval, bootstrap over tasks.',
  'Change in percentage points; *: the two intervals do not overlap.',
];

/** An empty table in the common style. */
export function createTable(head: readonly string[], style: Style) {
  return new Table({
    head: head.map((title) => style.dim(title)),
    style: { head: [], border: [], 'padding-left': 1, 'padding-right': 1 },
    colAligns: head.map((_, index) => (index === 0 ? 'left' : 'right')),
    chars: {
      top: '─',
      'top-mid': '─',
      'top-left': '',
      'top-right': '',
      bottom: '─',
      'bottom-mid': '─',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: ' ',
    },
  });
}
