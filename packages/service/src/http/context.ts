/**
 * The {@link RouteContext} of one request: judges rows through the queue and filters diagnostics by what the caller may
 * see. Leaves out: the routes.
 */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { readId } from '@cipo/verifier/rows';
import { type Diagnostic, TaskError } from '@cipo/verifier/types';
import { badRow, type Judge, type RowVerdict } from '../judge.ts';
import type { Exchange } from './exchange.ts';
import type { Gate } from './gate.ts';
import { Problem } from './problem.ts';
import type { RouteContext } from './route.ts';

/** The diagnostics that a reply includes. */
export type Visibility = 'all' | 'policy' | 'none';

export interface ContextSources {
  readonly judge: Judge;
  readonly gate: Gate;
  readonly window: number;
  readonly batchRows: number;
  readonly ceilings: Readonly<Record<string, number>>;
  /** Called with every verdict, before its diagnostics are filtered. */
  readonly onVerdict: (verdict: RowVerdict, ms: number) => void;
}

export function createContext(
  sources: ContextSources,
  exchange: Exchange,
  visibility: Visibility,
): RouteContext {
  const { judge, gate, window, batchRows } = sources;
  const judgeRow = async (row: unknown): Promise<RowVerdict> => {
    const start = performance.now();
    const verdict =
      checkCeilings(row, sources.ceilings) ?? (await judge.judge(row, exchange.signal));
    sources.onVerdict(verdict, performance.now() - start);
    return filterDiagnostics(verdict, visibility);
  };
  const each: RouteContext['each'] = async (items, work) => {
    if (items.length > batchRows) throw tooManyRows(items.length, batchRows);
    exchange.rows += items.length;
    return gate.runAll(items, exchange.signal, (item) => work(item, exchange.signal), kindOf);
  };
  return {
    judge,
    window,
    authorized: exchange.authorized,
    each,
    verify: (rows) => each(rows, judgeRow),
    verifyNext: (row) => {
      exchange.rows += 1;
      return gate.runNext(exchange.signal, () => judgeRow(row), kindOf(row));
    },
  };
}

function tooManyRows(rows: number, batchRows: number): Problem {
  const message = `expected at most ${batchRows} rows in one request, got ${rows}: send fewer, or send NDJSON`;
  return new Problem(413, 'too-many-rows', message);
}

/**
 * The visibility that a request asks for with `?diagnostics=`.
 *
 * @throws {Problem} 400 for an unknown value, 403 for `all` without a token
 */
export function readVisibility(value: string | undefined, authorized: boolean): Visibility {
  if (value === undefined) return authorized ? 'all' : 'policy';
  if (value !== 'all' && value !== 'policy' && value !== 'none') {
    throw new Problem(400, 'bad-query', 'diagnostics: must be all, policy or none', {
      field: 'diagnostics',
      received: value,
    });
  }
  if (value === 'all' && !authorized) {
    throw new Problem(
      403,
      'operator-only',
      'diagnostics=all requires a token: start the server with --token-file',
    );
  }
  return value;
}

/** Every caller may see why its own row is a `bad_task`. */
function filterDiagnostics(verdict: RowVerdict, visibility: Visibility): RowVerdict {
  if (visibility === 'all') return verdict;
  const isVisible = ({ audience }: Diagnostic) =>
    verdict.status === 'bad_task' || (visibility === 'policy' && audience === 'policy');
  return { ...verdict, diagnostics: verdict.diagnostics.filter(isVisible) };
}

/**
 * A caller must not occupy a sandbox for hours. Limits above the ceilings of the server are rejected, not reduced.
 *
 * @returns undefined if the row is within the ceilings
 */
function checkCeilings(
  row: unknown,
  ceilings: Readonly<Record<string, number>>,
): RowVerdict | undefined {
  const limits = fieldsOf(fieldsOf(row).limits);
  const name = Object.keys(ceilings).find((key) => Number(limits[key]) > (ceilings[key] ?? 0));
  if (name === undefined) return undefined;
  const problem = `must be at most ${ceilings[name]} on this server`;
  return badRow(readId(row) ?? '', new TaskError(`limits.${name}`, problem, limits[name]));
}

/** The queue of a row. Rows of one language need the same sandboxes. The fixed set bounds the number of queues. */
function kindOf(row: unknown): string {
  const { language } = fieldsOf(row);
  if (typeof language !== 'string') return 'other';
  if (/^py/i.test(language)) return 'python';
  return /^(js|ts|javascript|typescript)$/i.test(language) ? 'javascript' : 'other';
}

function fieldsOf(value: unknown): UnknownRecord {
  return isRecord(value) ? value : {};
}
