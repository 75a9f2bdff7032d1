/** For tests of routes: a request and a context around a real judge, without a server. */
import { readFileSync } from 'node:fs';
import type { Route, RouteContext, RouteRequest } from '../http/route.ts';
import type { Judge } from '../judge.ts';

/** What real clients have sent, by client. Recorded against a server that only kept the requests. */
export const RECORDED: Readonly<
  Record<string, { readonly path: string; readonly body: Readonly<Record<string, unknown>> }>
> = JSON.parse(readFileSync(new URL('./fixtures/requests.json', import.meta.url), 'utf8'));

export interface Asked {
  readonly body: unknown;
  readonly query?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The body of the reply. Rejects with the Problem that the server would answer with. */
export async function ask(route: Route, asked: Asked, context: RouteContext): Promise<unknown> {
  const { body, query = {}, signal = new AbortController().signal } = asked;
  const request: RouteRequest = { id: 'test', body, query: new Map(Object.entries(query)), signal };
  const reply = await route.handle(request, context);
  return JSON.parse(JSON.stringify(reply.body)); // as it travels
}

export function contextOf(judge: Judge, replaced: Partial<RouteContext> = {}): RouteContext {
  const signal = new AbortController().signal;
  return {
    judge,
    authorised: true,
    window: 8,
    verify: (rows) => Promise.all(rows.map((row) => judge.judge(row))),
    each: (items, work) => Promise.all(items.map((item) => work(item, signal))),
    verifyNext: (row) => judge.judge(row),
    ...replaced,
  };
}
