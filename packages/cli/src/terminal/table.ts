/** Held-out quality as tables: before and after, or one evaluation alone. Pure. */
import type { Estimate, Evaluation, Quality } from '@cipo/trainer';
import Table from 'cli-table3';
import { interval, points } from './format.ts';
import { oneLine } from './guest.ts';
import type { Style } from './style.ts';

/** The measures at k attempts of each task, in order, with their names as people read them. */
export const measures = (k: number): readonly (readonly [keyof Quality, string])[] => [
  ['passAt1', 'pass@1'],
  ...(k > 1 ? [['passAtK', `pass@${k}`] as const] : []),
  ['fixRate', 'fix rate'],
  ['retention', 'retention'],
];

/** `apart`: the 95 % intervals do not overlap. */
export function apart(before: Estimate, after: Estimate): boolean {
  return after.low > before.high || after.high < before.low;
}

/** One row for each measure in total and for each kind of task. */
export function beforeAfterTable(before: Evaluation, after: Evaluation, style: Style): string {
  const table = frame(['', 'before', 'after', 'change'], style);
  for (const [key, name] of measures(before.k)) {
    table.push([style.bold(name), ...comparison(before[key], after[key], style)]);
    for (const kind of sharedKinds(before, after)) {
      const [old, now] = [before.perKind[kind], after.perKind[kind]];
      if (old && now) {
        table.push([style.dim(`  ${oneLine(kind)}`), ...comparison(old[key], now[key], style)]);
      }
    }
  }
  return table.toString();
}

function sharedKinds(before: Evaluation, after: Evaluation): string[] {
  const kinds = Object.keys(before.perKind).filter((kind) => Object.hasOwn(after.perKind, kind));
  return kinds.length > 1 ? kinds : []; // one kind is the total
}

function comparison(before: Estimate, after: Estimate, style: Style): string[] {
  const change = points(before.mean, after.mean);
  const paint = !apart(before, after)
    ? style.dim
    : after.mean > before.mean
      ? style.green
      : style.red;
  return [interval(before), interval(after), paint(apart(before, after) ? `${change} *` : change)];
}

/** One evaluation: a column in total and one for each kind. */
export function qualityTable(evaluation: Evaluation, style: Style): string {
  const kinds = Object.entries(evaluation.perKind);
  const columns = kinds.length > 1 ? kinds : [];
  const table = frame(['', 'in total', ...columns.map(([kind]) => oneLine(kind))], style);
  for (const [key, name] of measures(evaluation.k)) {
    table.push([
      style.bold(name),
      interval(evaluation[key]),
      ...columns.map(([, quality]) => interval(quality[key])),
    ]);
  }
  return table.toString();
}

/** What the tables' marks mean; printed under them. */
export const TABLE_NOTES = [
  'Brackets: 95 % interval, bootstrap over tasks.',
  'Change in points; * where the two intervals do not overlap.',
];

/** The look of every table. */
export function frame(head: readonly string[], style: Style) {
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
