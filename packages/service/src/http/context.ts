/**
 * What a route may do for one caller: have rows judged in their turn, and answer with what this caller may see.
 * Leaves out: the routes.
 */
import { readId } from '@cipo/verifier/rows';
import { type Diagnostic, TaskError } from '@cipo/verifier/types';
import { badRow, type Judge, type RowVerdict } from '../judge.ts';
import type { Exchange } from './exchange.ts';
import type { Gate } from './gate.ts';
import { Problem } from './problem.ts';
import type { RouteContext } from './route.ts';

/** Which diagnostics an answer has. */
export type Shown = 'all' | 'policy' | 'none';

export interface ContextSources {
  readonly judge: Judge;
  readonly gate: Gate;
  readonly window: number;
  readonly batchRows: number;
  readonly ceilings: Readonly<Record<string, number>>;
  /** Told of every verdict, before anything is left out of it. */
  readonly judged: (verdict: RowVerdict, ms: number) => void;
}

export function createContext(
  sources: ContextSources,
  exchange: Exchange,
  shown: Shown,
): RouteContext {
  const { judge, gate, window, batchRows } = sources;
  const one = async (row: unknown): Promise<RowVerdict> => {
    const start = performance.now();
    const verdict =
      aboveCeiling(row, sources.ceilings) ?? (await judge.judge(row, exchange.signal));
    sources.judged(verdict, performance.now() - start);
    return visible(verdict, shown);
  };
  const each: RouteContext['each'] = async (items, work) => {
    if (items.length > batchRows) throw tooMany(items.length, batchRows);
    exchange.rows += items.length;
    return gate.each(items, exchange.signal, (item) => work(item, exchange.signal), laneOf);
  };
  return {
    judge,
    window,
    authorised: exchange.authorised,
    each,
    verify: (rows) => each(rows, one),
    verifyNext: (row) => {
      exchange.rows += 1;
      return gate.next(exchange.signal, () => one(row), laneOf(row));
    },
  };
}

function tooMany(rows: number, batchRows: number): Problem {
  const message = `${rows} rows in one request, of ${batchRows} at most: send fewer at a time, or as NDJSON`;
  return new Problem(413, 'too-many-rows', message);
}

/** @throws {Problem} 400 for another word, 403 for `all` without a token */
export function shownTo(asked: string | undefined, authorised: boolean): Shown {
  if (asked === undefined) return authorised ? 'all' : 'policy';
  if (asked !== 'all' && asked !== 'policy' && asked !== 'none')
    throw new Problem(400, 'bad-query', 'diagnostics: must be all, policy or none', {
      field: 'diagnostics',
      received: asked,
    });
  if (asked === 'all' && !authorised)
    throw new Problem(
      403,
      'operator-only',
      'diagnostics=all needs a token: start the server with --token-file',
    );
  return asked;
}

/** What is wrong with the caller's own row is told to every caller. */
function visible(verdict: RowVerdict, shown: Shown): RowVerdict {
  if (shown === 'all') return verdict;
  const mayShow = ({ audience }: Diagnostic) =>
    verdict.status === 'bad_task' || (shown === 'policy' && audience === 'policy');
  return { ...verdict, diagnostics: verdict.diagnostics.filter(mayShow) };
}

/** A caller must not take a sandbox for hours: what is asked for above the server's ceilings is refused, not cut. */
function aboveCeiling(
  row: unknown,
  ceilings: Readonly<Record<string, number>>,
): RowVerdict | undefined {
  const limits = fieldsOf(fieldsOf(row).limits);
  const name = Object.keys(ceilings).find((key) => Number(limits[key]) > (ceilings[key] ?? 0));
  if (name === undefined) return undefined;
  const problem = `must not be above ${ceilings[name]} on this server`;
  return badRow(readId(row) ?? '', new TaskError(`limits.${name}`, problem, limits[name]));
}

/** Rows of one language wait for the same sandboxes, and only for those. Few names, so that nobody can make many. */
function laneOf(row: unknown): string {
  const { language } = fieldsOf(row);
  if (typeof language !== 'string') return 'other';
  if (/^py/i.test(language)) return 'python';
  return /^(js|ts|javascript|typescript)$/i.test(language) ? 'javascript' : 'other';
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
