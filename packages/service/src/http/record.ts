/** What is counted and logged of a request when it is over. Leaves out: where the lines and the counts go. */
import type { Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { Exchange } from './exchange.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { ProblemCode } from './problem.ts';

export interface Records {
  readonly metrics: Metrics;
  readonly log: Log;
}

const PATH_CHARACTERS = 200;

export function recordAnswer(
  { metrics, log }: Records,
  request: FastifyRequest,
  exchange: Exchange,
): void {
  const { id, rows, bytesIn, ms, clientGone, response, remote } = exchange;
  // An error that was answered says more than that its client then left.
  const code = exchange.code ?? (clientGone ? 'client-gone' : undefined);
  const status = code === 'client-gone' ? 499 : response.statusCode;
  const route = request.routeOptions.config?.cipo?.path ?? 'none';
  metrics.answered(route, request.method, status, ms / 1000);
  if (code !== undefined) metrics.refused(code);
  log.access({
    ...{ requestId: id, method: request.method, status, code, rows, bytesIn, remote },
    path: (request.url.split('?', 1)[0] ?? '').slice(0, PATH_CHARACTERS),
    ms: Math.round(ms * 10) / 10,
  });
}

/** A connection on which nothing came that could be read as a request. */
export function recordUnreadable(
  { metrics, log }: Records,
  socket: Socket,
  { status, code }: { readonly status: number; readonly code: ProblemCode },
): void {
  metrics.answered('none', 'none', status, 0);
  metrics.refused(code);
  const remote = socket.remoteAddress ?? '';
  const nothing = { requestId: '', method: '-', path: '-', rows: 0, bytesIn: 0, ms: 0 };
  log.access({ ...nothing, status, code, remote });
}
