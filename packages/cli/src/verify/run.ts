/**
 * Runs `cipo verify`: many rows are judged at a time and written in the order of the input.
 * Leaves out: flags (commands/verify.ts), reading (input.ts), writing (output.ts), formatting (pretty.ts, summary.ts).
 */

import {
  badRow,
  createJudge,
  inOrder,
  type Judge,
  type RowVerdict,
  verdictLine,
} from '@cipo/service';
import { isRecord, MIB } from '@cipo/support';
import { readId, readResponse } from '@cipo/verifier/rows';
import type { Settings } from '../config/layers.ts';
import { EXIT } from '../errors.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { PLAIN_STYLE, styleOf } from '../terminal/style.ts';
import { checkDefaults } from './defaults.ts';
import { type ColumnName, type InputOptions, openInput, type PlacedRow } from './input.ts';
import { openOutput } from './output.ts';
import { prettyVerdict } from './pretty.ts';
import { startProgress } from './progress.ts';
import { missingColumnLines, stoppedLines, summaryLines } from './summary.ts';
import { Tally } from './tally.ts';

/** Which rows are written. */
export type Only = 'failed' | 'passed' | 'unjudged';

export interface VerifyOptions extends InputOptions {
  /** Files, or `-` for standard input. */
  readonly files: readonly string[];
  readonly out: string | undefined;
  readonly workers: number;
  readonly plugins: readonly string[];
  readonly domain: string | undefined;
  /** Fields for rows that lack them. */
  readonly defaults: Settings;
  readonly only: Only | undefined;
  /** Columns of a row that are copied to its verdict. */
  readonly keep: readonly string[];
  readonly pretty: boolean;
  readonly quiet: boolean;
}

/** Rows in progress per worker: enough that no worker waits for the next row. */
const ROWS_PER_WORKER = 32;
/** Limit for the bytes of all rows in progress: fewer long rows are judged at a time. */
const MAX_BYTES_IN_PROGRESS = 64 * MIB;
/** Characters of verdicts that may wait for a slow row before them. */
const MAX_WAITING_CHARS = 32_000_000;
/** Characters that a verdict counts for beyond its text. */
const VERDICT_CHARS = 200;

/** @returns the exit code. @throws {UserError} exit code 2, before any row is read */
export async function verify(options: VerifyOptions): Promise<number> {
  const input = await openInput(options.files, options);
  const judge = await openJudge(options);
  const tally = new Tally();
  using interrupt = listenForInterrupt(() => undefined);
  let progress: { close(): void } | undefined;
  try {
    const output = await openOutput(options.out, options.skip > 0);
    progress = startProgress(tally, input, options);
    const flow = inOrder(input.rows(), (row) => judgeRow(row, judge, options), {
      inFlight: options.workers * ROWS_PER_WORKER,
      maxWeight: MAX_BYTES_IN_PROGRESS,
      weightOf: ({ bytes = 0 }: PlacedRow) => bytes,
      maxHeld: MAX_WAITING_CHARS,
      sizeOf: ({ text }: Done) => text.length + VERDICT_CHARS,
      signal: AbortSignal.any([interrupt.signal, output.gone]),
    });
    for await (const { verdict, file, text } of flow) {
      if (text !== '') await output.write(text);
      if (output.gone.aborted) break;
      tally.add(verdict, file);
    }
    await output.end();
    if (output.gone.aborted) return EXIT.readerGone;
  } finally {
    progress?.close();
    input.close();
    await judge.close();
  }
  const wasStopped = interrupt.signal.aborted;
  printSummary(tally, options, input.missingColumns(), wasStopped);
  return exitCodeFor(tally, wasStopped);
}

/** Plug-ins and `--set` are checked before any row is read. The domain of a single plug-in is the default of rows. */
async function openJudge({ plugins, domain, workers, defaults }: VerifyOptions): Promise<Judge> {
  const { fallbackDomain, openDomains } = await import('@cipo/verifier/domains');
  const domains = await openDomains({ plugins, workers });
  try {
    checkDefaults(defaults, domains);
  } catch (error) {
    await domains.close();
    throw error;
  }
  const fallback = fallbackDomain(domains, domain);
  const judge = await createJudge({
    domains,
    defaults,
    ...(fallback === undefined ? {} : { domain: fallback }),
  });
  return { ...judge, close: () => domains.close() };
}

interface Done {
  readonly verdict: RowVerdict;
  readonly file: string;
  /** What is written; empty if `--only` excludes the row. */
  readonly text: string;
}

async function judgeRow(placed: PlacedRow, judge: Judge, options: VerifyOptions): Promise<Done> {
  const { problem, file } = placed;
  const row = withId(placed);
  const judged = problem ? badRow('', problem) : await judgeAsWritten(placed, row, judge);
  const verdict = withPlace(judged, placed);
  const text = isWanted(verdict, options.only) ? formatVerdict(verdict, row, options) : '';
  // Many of these may wait for a slow row: keep only what the summary needs.
  return {
    verdict: verdict.passed === null ? verdict : { ...verdict, diagnostics: [] },
    file,
    text,
  };
}

/** The diagnostic of a row that cannot be parsed may list its columns: those of the file, without the added id. */
async function judgeAsWritten(placed: PlacedRow, row: unknown, judge: Judge): Promise<RowVerdict> {
  const verdict = await judge.judge(row);
  if (verdict.status !== 'bad_task' || row === placed.row) return verdict;
  const original = await judge.judge(placed.row);
  return original.status === 'bad_task' ? { ...original, id: verdict.id } : verdict;
}

function placeOf({ file, line }: PlacedRow): string {
  return `${file}:${line}`;
}

/** A row without an id is named by its file and line. */
function withId(placed: PlacedRow): unknown {
  const { row } = placed;
  return isRecord(row) && readId(row) === undefined ? { ...row, id: placeOf(placed) } : row;
}

/** Adds file and line to the diagnostics of a row that cannot be parsed. */
function withPlace(verdict: RowVerdict, placed: PlacedRow): RowVerdict {
  const { file, line } = placed;
  const id = verdict.id === '' ? placeOf(placed) : verdict.id;
  if (verdict.status !== 'bad_task') return { ...verdict, id };
  const diagnostics = verdict.diagnostics.map((d) => ({
    ...d,
    details: { file, line, ...d.details },
  }));
  return { ...verdict, id, diagnostics };
}

function isWanted({ passed }: RowVerdict, only: Only | undefined): boolean {
  if (only === 'failed') return passed === false;
  if (only === 'passed') return passed === true;
  return only === 'unjudged' ? passed === null : true;
}

function formatVerdict(verdict: RowVerdict, row: unknown, options: VerifyOptions): string {
  const { pretty, out, keep } = options;
  if (!pretty) return `${verdictLine({ ...copyColumns(row, keep), ...verdict })}\n`;
  const style = out === undefined ? styleOf(process.stdout) : PLAIN_STYLE;
  // A row that cannot be parsed has no readable response.
  const isReadable = verdict.status !== 'bad_task' && typeof row === 'object' && row !== null;
  return prettyVerdict(verdict, isReadable ? readResponse({ ...row }) : undefined, style);
}

function copyColumns(row: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  if (!isRecord(row) || names.length === 0) return {};
  return Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name)));
}

function printSummary(
  tally: Tally,
  { quiet, skip, out }: VerifyOptions,
  missing: readonly ColumnName[],
  wasStopped: boolean,
): void {
  const style = styleOf(process.stderr);
  const lines = [
    ...(quiet ? [] : summaryLines(tally, style)),
    ...(quiet ? [] : missingColumnLines(missing, style)),
    ...(wasStopped ? stoppedLines(skip + tally.total.rows, out, process.argv) : []),
  ];
  if (lines.length > 0) process.stderr.write(`${lines.join('\n')}\n`);
}

function exitCodeFor(tally: Tally, wasStopped: boolean): number {
  if (wasStopped) return EXIT.interrupted;
  if (tally.badRows > 0) return tally.voids > 0 ? EXIT.badAndUnjudged : EXIT.badRows;
  return tally.voids > 0 ? EXIT.unjudged : EXIT.ok;
}
