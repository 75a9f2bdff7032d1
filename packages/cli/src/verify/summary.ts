/** The end of `cipo verify` on standard error: what came of the rows, and of which files. Pure. */
import { basename } from 'node:path';
import { clock, percent, whole } from '../terminal/format.ts';
import { oneLine } from '../terminal/guest.ts';
import type { Style } from '../terminal/style.ts';
import { frame } from '../terminal/table.ts';
import { type Counts, SHOWN_PROBLEMS, type Tally, wilson } from './tally.ts';

export function summaryLines(tally: Tally, style: Style): string[] {
  const { rows } = tally.total;
  if (rows === 0) return [style.yellow('There was no row to judge.')];
  return [
    fileTable(tally, style),
    statusLine(tally),
    `${whole(rows)} rows in ${span(tally.seconds)}, ${rate(rows / tally.seconds)} a second; ${span(tally.cpuMs / 1000)} of CPU time in the answers.`,
    ...problemLines(tally, style),
  ];
}

const span = (seconds: number) => (seconds < 60 ? `${seconds.toFixed(1)} s` : clock(seconds));
const rate = (perSecond: number) => (perSecond < 10 ? perSecond.toFixed(1) : whole(perSecond));

function fileTable(tally: Tally, style: Style): string {
  const table = frame(['', 'rows', 'passed', 'failed', 'no judgement', 'passed of judged'], style);
  const files = [...tally.byFile];
  if (files.length > 1) {
    for (const [file, counts] of files) table.push([oneLine(basename(file)), ...cells(counts)]);
  }
  table.push([style.bold(files.length > 1 ? 'in total' : 'rows'), ...cells(tally.total)]);
  return table.toString();
}

function cells({ rows, passed, failed, unjudged }: Counts): string[] {
  const judged = passed + failed;
  const { low, high } = wilson(passed, judged);
  const bounds = judged === 0 ? '' : ` [${(low * 100).toFixed(1)}, ${(high * 100).toFixed(1)}]`;
  const share = judged === 0 ? '–' : `${percent(passed / judged)}${bounds}`;
  return [whole(rows), whole(passed), whole(failed), whole(unjudged), share];
}

function statusLine(tally: Tally): string {
  const statuses = [...tally.byStatus].sort(([, a], [, b]) => b - a);
  return statuses.map(([status, count]) => `${status} ${whole(count)}`).join('  ');
}

function problemLines(tally: Tally, style: Style): string[] {
  const { problems, total } = tally;
  if (problems.length === 0) return [];
  const more = total.unjudged > SHOWN_PROBLEMS ? `, the first ${SHOWN_PROBLEMS} of them` : '';
  return [
    style.yellow(`${whole(total.unjudged)} rows got no judgement and no reward${more}:`),
    ...problems.map((problem) => `  ${oneLine(problem).slice(0, 240)}`),
  ];
}

/** How to go on after Ctrl-C: the same command, past the rows that are written already. */
export function stoppedLines(
  done: number,
  out: string | undefined,
  argv: readonly string[],
): string[] {
  const given = argv.slice(2);
  const at = given.findIndex((arg) => arg === '--skip' || arg.startsWith('--skip='));
  const before = at < 0 ? given : given.toSpliced(at, given[at] === '--skip' ? 2 : 1);
  const words = ['cipo', ...before, '--skip', String(done)].map(quoted);
  const where = out === undefined ? ' (append its output with >>)' : ' (it appends to the file)';
  return [
    `Stopped after ${whole(done)} rows, all of them whole. To go on${where}:`,
    `  ${words.join(' ')}`,
  ];
}

const quoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${oneLine(word).replaceAll("'", "'\\''")}'`;
