/**
 * The seam of the server: what a route is, what it is given and what it answers. A trainer's wire format is one
 * {@link Route} in `src/wire/`, named in `registry.ts`. Leaves out: how bytes become a body (`body.ts`) and how rows
 * wait their turn (`gate.ts`).
 *
 * ```ts
 * export const rewards: Route = {
 *   method: 'POST',
 *   path: '/get_reward',
 *   describe: { operationId: 'rewards', summary: 'Rewards of a batch', responses: { 200: { description: 'One each' } } },
 *   async handle({ body }, { verify }) {
 *     const rows = readRows(body); // throws badRequest('query', 'must be a list of texts', value)
 *     const verdicts = await verify(rows); // same order; throws the 429 where there is no room
 *     return { body: { rewards: verdicts.map(({ reward }) => reward) } };
 *   },
 * };
 * ```
 *
 * By the time `handle` runs, the caller's Host and token are checked, the body is whole, in UTF-8, within the
 * limits on bytes, depth and values, and free of prototype keys. Whatever `handle` throws becomes an error reply:
 * a {@link Problem} as it says, anything else a 500 that tells the caller nothing. Neither is ever a reward.
 */
import type { Judge, RowVerdict } from '../judge.ts';
import type { Problem } from './problem.ts';

/** Kinds of body: one JSON text, or one JSON text a line (`application/x-ndjson`), which is given as a stream. */
export type BodyKind = 'json' | 'ndjson';

export interface Route {
  readonly method: 'GET' | 'POST';
  /** Starts with a slash; no parameters in it. */
  readonly path: string;
  /** What a POST takes. Default: `['json']`. */
  readonly accepts?: readonly BodyKind[];
  /** Answers without a token, for probes. Default: false. */
  readonly open?: boolean;
  /** An Operation object of OpenAPI 3.1; its schemas may refer to `#/components/schemas/Row`, `Verdict`, `Problem`. */
  readonly describe: Readonly<Record<string, unknown>>;
  /** What a refusal for lack of room (429, 503) becomes, where clients of this format try again after no other. */
  readonly busyStatus?: number;
  /** Clients of this format make too much of a refusal: not refused for a full queue; `handle` waits. */
  readonly patient?: boolean;
  /** Tighter than the server's own limits; looser ones are ignored. */
  readonly limits?: { readonly bodyBytes?: number; readonly batchRows?: number };
  handle(request: RouteRequest, context: RouteContext): Promise<Reply>;
  /** The body of an error reply, where clients of this format expect another shape than `{error: {...}}`. */
  problem?(problem: Problem, requestId: string): unknown;
}

export interface RouteRequest {
  /** Stands in the access log and in the reply's `x-request-id`. */
  readonly id: string;
  /** What the JSON text says; the lines where the body is NDJSON; undefined for a GET. */
  readonly body: unknown;
  /** Set instead of `body` where the body is NDJSON: one entry a line, read as they are taken. */
  readonly lines?: AsyncIterable<Line>;
  /** Parameters of the query string that were given once. */
  readonly query: ReadonlyMap<string, string>;
  /** Aborts when the client is gone or the server has waited long enough for its end. */
  readonly signal: AbortSignal;
}

/** One line of an NDJSON body, 1-based: its value, or why it has none. */
export type Line =
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly problem: Problem; readonly beginning: string };

export interface RouteContext {
  /** For what is no row. Go through `each`, so that the queue and its limits hold for it too. */
  readonly judge: Judge;
  /** True for a caller that showed a token: only such a one is given diagnostics for operators. */
  readonly authorised: boolean;
  /**
   * Verdicts in the order of the rows, as the caller may see them. Nothing is judged unless all rows have room.
   * @throws {Problem} 413 for more rows than a batch may have, 429 where the queue has no room or no time
   */
  verify(rows: readonly unknown[]): Promise<readonly RowVerdict[]>;
  /** The same queue and limits for other work: `work` runs for each item when it is its turn. */
  each<T, R>(items: readonly T[], work: (item: T, signal: AbortSignal) => Promise<R>): Promise<R[]>;
  /** One row of a stream: waits for its turn without being refused, so that reading slows down instead. */
  verifyNext(row: unknown): Promise<RowVerdict>;
  /** Rows that are judged at once: reading a stream further ahead than this gains nothing. */
  readonly window: number;
}

export interface Reply {
  /** Default: 200. */
  readonly status?: number;
  /** Default: `application/json; charset=utf-8`. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, except where `text` or `stream` is given. */
  readonly body?: unknown;
  readonly text?: string;
  /** Sent as it comes, as fast as the client reads. */
  readonly stream?: AsyncIterable<string>;
}
