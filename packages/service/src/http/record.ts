/** Counts and logs a request when it has ended. Leaves out: where the counts and the lines go. */
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

const MAX_PATH_CHARS = 200;

export function recordRequest(
  { metrics, log }: Records,
  request: FastifyRequest,
  exchange: Exchange,
): void {
  const { id, rows, bytesIn, ms, clientGone, response, remote } = exchange;
  // An error that was sent is more informative than a client that disconnected after it.
  const code = exchange.code ?? (clientGone ? 'client-gone' : undefined);
  const status = code === 'client-gone' ? 499 : response.statusCode;
  const route = request.routeOptions.config?.cipo?.path ?? 'none';
  metrics.countRequest(route, request.method, status, ms / 1000);
  if (code !== undefined) metrics.countError(code);
  log.access({
    ...{ requestId: id, method: request.method, status, code, rows, bytesIn, remote },
    path: (request.url.split('?', 1)[0] ?? '').slice(0, MAX_PATH_CHARS),
    ms: Math.round(ms * 10) / 10,
  });
}

/** Records a connection that sent nothing that could be parsed as a request. */
export function recordUnparsable(
  { metrics, log }: Records,
  socket: Socket,
  { status, code }: { readonly status: number; readonly code: ProblemCode },
): void {
  metrics.countRequest('none', 'none', status, 0);
  metrics.countError(code);
  const remote = socket.remoteAddress ?? '';
  const unknown = { requestId: '', method: '-', path: '-', rows: 0, bytesIn: 0, ms: 0 };
  log.access({ ...unknown, status, code, remote });
}
