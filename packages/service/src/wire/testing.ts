/** Test helpers for routes: a request and a context around a real judge, without a server. */
import { readFileSync } from 'node:fs';
import type { Route, RouteContext, RouteRequest } from '../http/route.ts';
import type { Judge } from '../judge.ts';

/** Requests of real clients, by client. They were recorded with a server that only stored requests. */
export const RECORDED: Readonly<
  Record<string, { readonly path: string; readonly body: Readonly<Record<string, unknown>> }>
> = JSON.parse(readFileSync(new URL('./fixtures/requests.json', import.meta.url), 'utf8'));

export interface TestRequest {
  readonly body: unknown;
  readonly query?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Calls a route and returns the body of its reply. Rejects with the Problem that the server would send. */
export async function callRoute(
  route: Route,
  { body, query = {}, signal = new AbortController().signal }: TestRequest,
  context: RouteContext,
): Promise<unknown> {
  const request: RouteRequest = { id: 'test', body, query: new Map(Object.entries(query)), signal };
  const reply = await route.handle(request, context);
  return JSON.parse(JSON.stringify(reply.body)); // as the client would read it
}

export function contextOf(judge: Judge, replaced: Partial<RouteContext> = {}): RouteContext {
  const signal = new AbortController().signal;
  return {
    judge,
    authorized: true,
    window: 8,
    verify: (rows) => Promise.all(rows.map((row) => judge.judge(row))),
    each: (items, work) => Promise.all(items.map((item) => work(item, signal))),
    verifyNext: (row) => judge.judge(row),
    ...replaced,
  };
}
