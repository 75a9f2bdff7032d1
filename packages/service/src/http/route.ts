/**
 * The interface of a route: its request, its context and its reply. The wire format of a trainer is one {@link Route} in
 * `src/wire/`, listed in `src/wire/index.ts`. Leaves out: reading bodies (`body.ts`) and the queue (`gate.ts`).
 *
 * ```ts
 * export const rewards: Route = {
 *   method: 'POST',
 *   path: '/get_reward',
 *   describe: { operationId: 'rewards', summary: 'Rewards of a batch', responses: { 200: { description: 'Rewards' } } },
 *   async handle({ body }, { verify }) {
 *     const rows = readRows(body); // throws badRequest('query', 'must be a list of strings', value)
 *     const verdicts = await verify(rows); // same order; throws a 429 if the queue is full
 *     return { body: { rewards: verdicts.map(({ reward }) => reward) } };
 *   },
 * };
 * ```
 *
 * Before `handle` runs, the Host and the token have been checked. The body is complete, valid UTF-8, within the limits on
 * bytes, depth and values, and has no prototype keys. Everything that `handle` throws becomes an error reply: a
 * {@link Problem} as it states, anything else a 500 without details. Neither is ever a reward.
 */
import type { Judge, RowVerdict } from '../judge.ts';
import type { Problem } from './problem.ts';

/** Kinds of body: one JSON text, or a stream with one JSON text per line (`application/x-ndjson`). */
export type BodyKind = 'json' | 'ndjson';

/** One endpoint of the server. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** Starts with a slash and has no parameters. */
  readonly path: string;
  /** Accepted bodies of a POST. Default: `['json']`. */
  readonly accepts?: readonly BodyKind[];
  /** Whether the route works without a token, for probes. Default: false. */
  readonly isPublic?: boolean;
  /** Whether the route is left out of `/openapi.json`, because it is for browsers only. Default: false. */
  readonly isHidden?: boolean;
  /** An Operation object of OpenAPI 3.1. Its schemas may refer to `#/components/schemas/Row`, `Verdict`, `Problem`. */
  readonly describe: Readonly<Record<string, unknown>>;
  /** Status that replaces 429 and 503, if the clients of this format retry only after that status. */
  readonly busyStatus?: number;
  /** Whether requests are admitted while the queue is full; `handle` then retries. For clients that do not. Default: false. */
  readonly waitsWhenBusy?: boolean;
  /** Stricter limits than those of the server. Looser ones have no effect. */
  readonly limits?: { readonly bodyBytes?: number; readonly batchRows?: number };
  /** Handles one request. Errors that it throws become error replies. */
  handle(request: RouteRequest, context: RouteContext): Promise<Reply>;
  /** Body of an error reply, if the clients of this format expect another shape than `{error: {...}}`. */
  problem?(problem: Problem, requestId: string): unknown;
}

/** The request that a route handles. */
export interface RouteRequest {
  /** Id in the access log and in the `x-request-id` header of the reply. */
  readonly id: string;
  /** The Host header; undefined if an HTTP/1.0 request has none. Not trustworthy: escape it. */
  readonly host?: string | undefined;
  /** The parsed JSON body. Undefined for a GET and for NDJSON. */
  readonly body: unknown;
  /** Set instead of `body` if the body is NDJSON. Lines are read from the connection as they are consumed. */
  readonly lines?: AsyncIterable<Line>;
  /** Parameters of the query string that occur exactly once. */
  readonly query: ReadonlyMap<string, string>;
  /** Aborts when the client has disconnected or the time for draining is over. */
  readonly signal: AbortSignal;
}

/** One line of an NDJSON body with its 1-based number: its value, or why it could not be parsed. */
export type Line =
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly problem: Problem; readonly beginning: string };

/** What a route may use to handle a request. */
export interface RouteContext {
  /** For work other than rows. Call it through `each`, so that the queue and its limits apply. */
  readonly judge: Judge;
  /** Whether the caller has a valid token. Only then do verdicts include operator diagnostics. */
  readonly authorized: boolean;
  /**
   * Judges rows.
   *
   * @returns verdicts in the order of the rows, with the diagnostics that the caller may see
   * @throws {Problem} 413 for too many rows; 429 if the queue cannot take all of them or none started in time. No row is
   * judged then.
   */
  verify(rows: readonly unknown[]): Promise<readonly RowVerdict[]>;
  /** Runs other work through the same queue and limits: `work` runs for each item when a slot is free. */
  each<T, R>(items: readonly T[], work: (item: T, signal: AbortSignal) => Promise<R>): Promise<R[]>;
  /** Judges one row of a stream. Waits for a slot and is never rejected: reading slows down instead. */
  verifyNext(row: unknown): Promise<RowVerdict>;
  /** Maximum rows judged at once. Reading a stream further ahead than this has no benefit. */
  readonly window: number;
}

/** The reply of a route: `body`, `text` or `stream`. */
export interface Reply {
  /** HTTP status. Default: 200. */
  readonly status?: number;
  /** Content type. Default: `application/json; charset=utf-8`. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, unless `text` or `stream` is set. */
  readonly body?: unknown;
  /** Sent unchanged. */
  readonly text?: string;
  /** Sent part by part, as fast as the client reads. */
  readonly stream?: AsyncIterable<string>;
}
