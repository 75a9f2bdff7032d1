/** Formats the summary of `cipo verify`: the results by file and status, and how to continue after a stop. Pure. */
import { basename } from 'node:path';
import { formatClock, formatCount, formatPercent, plural } from '../terminal/format.ts';
import { clipLine, oneLine } from '../terminal/guest.ts';
import type { Style } from '../terminal/style.ts';
import { createTable } from '../terminal/table.ts';
import type { ColumnName } from './input.ts';
import { type Counts, SHOWN_PROBLEMS, type Tally, wilson } from './tally.ts';

const MAX_PROBLEM_CHARS = 240;

export function summaryLines(tally: Tally, style: Style): string[] {
  const { rows } = tally.total;
  if (rows === 0) return [style.yellow('There were no rows to judge.')];
  const cpu = formatSeconds(tally.cpuMs / 1000);
  return [
    fileTable(tally, style),
    statusLine(tally),
    `${plural(rows, 'row')} in ${formatSeconds(tally.seconds)}, ${formatRate(rows / tally.seconds)} per second; ${cpu} of CPU time in the responses.`,
    ...problemLines(tally, style),
  ];
}

/** A warning for every `--column` that no row has. */
export function missingColumnLines(missing: readonly ColumnName[], style: Style): string[] {
  return missing.map(([field, column]) =>
    style.yellow(
      `--column ${oneLine(`${field}=${column}`)}: no row has a column "${oneLine(column)}".`,
    ),
  );
}

function formatSeconds(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : formatClock(seconds);
}

function formatRate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond);
}

function fileTable(tally: Tally, style: Style): string {
  const head = ['', 'rows', 'passed', 'failed', 'unjudged', 'passed of judged'];
  const table = createTable(head, style);
  const files = [...tally.byFile];
  if (files.length > 1) {
    for (const [file, counts] of files) {
      table.push([oneLine(basename(file)), ...countCells(counts)]);
    }
  }
  table.push([style.bold(files.length > 1 ? 'total' : 'rows'), ...countCells(tally.total)]);
  return table.toString();
}

function countCells({ rows, passed, failed, unjudged }: Counts): string[] {
  const judged = passed + failed;
  const { low, high } = wilson(passed, judged);
  const bounds = judged === 0 ? '' : ` [${(low * 100).toFixed(1)}, ${(high * 100).toFixed(1)}]`;
  const share = judged === 0 ? '–' : `${formatPercent(passed / judged)}${bounds}`;
  return [
    formatCount(rows),
    formatCount(passed),
    formatCount(failed),
    formatCount(unjudged),
    share,
  ];
}

function statusLine(tally: Tally): string {
  const statuses = [...tally.byStatus].sort(([, a], [, b]) => b - a);
  return statuses.map(([status, count]) => `${status} ${formatCount(count)}`).join('  ');
}

function problemLines(tally: Tally, style: Style): string[] {
  const { problems, total } = tally;
  if (problems.length === 0) return [];
  const more = total.unjudged > SHOWN_PROBLEMS ? `; the first ${SHOWN_PROBLEMS} are` : '';
  return [
    style.yellow(`${plural(total.unjudged, 'row')} could not be judged and got no reward${more}:`),
    ...problems.map((problem) => `  ${clipLine(oneLine(problem), MAX_PROBLEM_CHARS)}`),
  ];
}

/** How to continue after Ctrl-C: the same command, without the rows that are written. */
export function stoppedLines(
  done: number,
  out: string | undefined,
  argv: readonly string[],
): string[] {
  const given = argv.slice(2);
  const at = given.findIndex((arg) => arg === '--skip' || arg.startsWith('--skip='));
  const rest = at < 0 ? given : given.toSpliced(at, given[at] === '--skip' ? 2 : 1);
  const command = ['cipo', ...rest, '--skip', String(done)].map(quoteWord).join(' ');
  const how = out === undefined ? 'append its output with >>' : 'it appends to the file';
  return [`Stopped after ${plural(done, 'complete row')}. To continue (${how}):`, `  ${command}`];
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${oneLine(word).replaceAll("'", "'\\''")}'`;
}
