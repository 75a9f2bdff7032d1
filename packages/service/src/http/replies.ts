/**
 * What goes wrong, as replies: errors of the framework and of Node's parser in the words of this server, in the shape
 * that a route's clients expect. Leaves out: what each check refuses.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { Problem, type ProblemCode, problemBody } from './problem.ts';
import type { Route } from './route.ts';

/** Errors of fastify that a caller causes, by their code. */
const FRAMEWORK: Readonly<
  Record<string, readonly [status: number, code: ProblemCode, message: string]>
> = {
  FST_ERR_BAD_URL: [400, 'bad-path', 'the path of the request cannot be read'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    415,
    'unsupported-type',
    'the content type must be application/json, or application/x-ndjson where a route takes it',
  ],
  FST_ERR_CTP_EMPTY_TYPE: [415, 'unsupported-type', 'a content type is needed'],
  FST_ERR_ROUTE_METHOD_NOT_SUPPORTED: [405, 'bad-method', 'no such method'],
};

/** Any failure as a problem. What is not the caller's doing becomes a 500 that tells nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = Object.hasOwn(FRAMEWORK, code) ? FRAMEWORK[code] : undefined;
  if (known) return new Problem(...known);
  return new Problem(500, 'internal', 'trouble of the server: its log says more');
}

/** @throws {Problem} 415 for a body that is not plain UTF-8: what is packed may be of any size */
export function checkEncoding(headers: IncomingHttpHeaders): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new Problem(415, 'unsupported-encoding', 'a body must come without a content encoding');
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new Problem(415, 'unsupported-encoding', 'a body must be in UTF-8');
}

/** @throws {Problem} 417 for what a client expects beyond being told to go on */
export function checkExpectation({ expect }: IncomingHttpHeaders): void {
  if (expect === undefined || expect.toLowerCase() === '100-continue') return;
  throw new Problem(417, 'bad-expectation', 'only 100-continue can be expected');
}

/** The text of an error reply. */
export function problemText(problem: Problem, requestId: string, route?: Route): string {
  return JSON.stringify(route?.problem?.(problem, requestId) ?? problemBody(problem, requestId));
}

const PARSER: Readonly<
  Record<string, readonly [status: string, code: ProblemCode, message: string]>
> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'headers-too-large',
    'the headers are too large',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    'slow-headers',
    'the headers did not come in time',
  ],
};

const UNREADABLE = ['400 Bad Request', 'bad-request', 'this is not HTTP that can be read'] as const;

/** How long the rest of what an unreadable client writes is taken in. */
const LINGER_MS = 500;

/**
 * Answers on a connection that Node could not make sense of, and ends it. Says nothing where the reply to an
 * earlier request has begun: it would stand in the middle of that.
 * @returns the code and status of the refusal, for the log
 */
export function refuseConnection(
  socket: Socket,
  error: Error & { readonly code?: string },
  replying: boolean,
): { readonly status: number; readonly code: ProblemCode } | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable || replying) {
    socket.destroy();
    return undefined;
  }
  const [status, code, message] = PARSER[error.code ?? ''] ?? UNREADABLE;
  const body = JSON.stringify({ error: { code, message } });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  return { status: Number(status.slice(0, 3)), code };
}
