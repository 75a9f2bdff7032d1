/**
 * `cipo verify` from open inputs to the last line: rows are judged many at a time and written in their
 * order. Leaves out: flags (commands/verify.ts), reading (input.ts), writing (output.ts), drawing.
 */
import {
  badRow,
  createJudge,
  inOrder,
  type Judge,
  type RowVerdict,
  verdictLine,
} from '@cipo/service';
import { readId, readResponse } from '@cipo/verifier/rows';
import { EXIT } from '../errors.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { plainStyle, styleOf } from '../terminal/style.ts';
import { type InputOptions, openInput, type PlacedRow } from './input.ts';
import { openOutput } from './output.ts';
import { prettyVerdict } from './pretty.ts';
import { startProgress } from './progress.ts';
import { stoppedLines, summaryLines } from './summary.ts';
import { Tally } from './tally.ts';

export type Only = 'failed' | 'passed' | 'unjudged';

export interface VerifyOptions extends InputOptions {
  /** Files, or `-` for standard input. */
  readonly files: readonly string[];
  readonly out: string | undefined;
  readonly workers: number;
  readonly plugins: readonly string[];
  readonly domain: string | undefined;
  /** Fields laid under every row. */
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly only: Only | undefined;
  /** Columns of a row that are copied to its verdict. */
  readonly keep: readonly string[];
  readonly pretty: boolean;
  readonly quiet: boolean;
}

/** Rows at work for each worker: enough that none waits for the next row. */
const ROWS_PER_WORKER = 32;
/** Bytes of the rows at work: long ones are judged by fewer at a time. */
const MAX_WEIGHT = 64 * 2 ** 20;
/** Characters of verdicts that may wait for a slow row before them. */
const MAX_HELD = 32_000_000;

/** @returns the exit code */
export async function verify(options: VerifyOptions): Promise<number> {
  const input = await openInput(options.files, options);
  const judge = await openJudge(options);
  const output = openOutput(options.out, options.skip > 0);
  const tally = new Tally();
  using interrupt = listenForInterrupt(() => undefined);
  const signal = AbortSignal.any([interrupt.signal, output.gone]);
  const progress = startProgress(tally, input, options);
  try {
    const work = (row: PlacedRow) => judged(row, judge, options);
    const flow = inOrder(input.rows(), work, {
      inFlight: options.workers * ROWS_PER_WORKER,
      maxWeight: MAX_WEIGHT,
      weightOf: ({ bytes = 0 }: PlacedRow) => bytes,
      maxHeld: MAX_HELD,
      sizeOf: ({ text }: Done) => text.length + 200,
      signal,
    });
    for await (const { verdict, file, text } of flow) {
      if (text !== '') await output.write(text);
      if (output.gone.aborted) break;
      tally.add(verdict, file);
    }
    await output.end();
  } finally {
    progress.close();
    input.close();
    await judge.close();
  }
  return concluded(tally, options, interrupt.signal.aborted, output.gone.aborted);
}

/** Plug-ins are checked before any row is read; the only one's domain is that of rows that name none. */
async function openJudge({ plugins, domain, workers, defaults }: VerifyOptions): Promise<Judge> {
  const { fallbackDomain, openDomains } = await import('@cipo/verifier/domains');
  const domains = await openDomains({ plugins, workers });
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
  /** What is written; empty where `--only` leaves the row out. */
  readonly text: string;
}

async function judged(placed: PlacedRow, judge: Judge, options: VerifyOptions): Promise<Done> {
  const { problem, file } = placed;
  const row = withId(placed);
  const verdict = problem
    ? withPlace(badRow('', problem), placed)
    : withPlace(await judge.judge(row), placed);
  const text = isWanted(verdict, options.only) ? written(verdict, row, options) : '';
  // Many of these may wait for a slow row: keep what the summary needs and no more.
  return {
    verdict: verdict.passed === null ? verdict : { ...verdict, diagnostics: [] },
    file,
    text,
  };
}

const placeOf = ({ file, line }: PlacedRow) => `${file}:${line}`;

/** A row without an id is called by its place. */
function withId(placed: PlacedRow): unknown {
  const { row } = placed;
  const isFields = typeof row === 'object' && row !== null && !Array.isArray(row);
  return isFields && readId(row) === undefined ? { ...row, id: placeOf(placed) } : row;
}

/** Of a row that cannot be read, the place is told too. */
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

function written(verdict: RowVerdict, row: unknown, options: VerifyOptions): string {
  const { pretty, out, keep } = options;
  if (!pretty) return `${verdictLine({ ...kept(row, keep), ...verdict })}\n`;
  const style = out === undefined ? styleOf(process.stdout) : plainStyle;
  // Of a row that cannot be read, the response cannot be either.
  const isReadable = verdict.status !== 'bad_task' && typeof row === 'object' && row !== null;
  return prettyVerdict(verdict, isReadable ? readResponse({ ...row }) : undefined, style);
}

function kept(row: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof row !== 'object' || row === null || names.length === 0) return {};
  return Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name)));
}

function concluded(
  tally: Tally,
  options: VerifyOptions,
  wasStopped: boolean,
  readerGone: boolean,
): number {
  if (readerGone) return EXIT.readerGone;
  const style = styleOf(process.stderr);
  const lines = [
    ...(options.quiet ? [] : summaryLines(tally, style)),
    ...(wasStopped ? stoppedLines(options.skip + tally.total.rows, options.out, process.argv) : []),
  ];
  if (lines.length > 0) process.stderr.write(`${lines.join('\n')}\n`);
  if (wasStopped) return EXIT.interrupted;
  if (tally.badRows > 0) return tally.voids > 0 ? EXIT.badAndUnjudged : EXIT.badRows;
  return tally.voids > 0 ? EXIT.unjudged : EXIT.ok;
}
