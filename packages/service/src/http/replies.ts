/**
 * Converts errors to replies: maps errors of the framework and of Node's HTTP parser to problems, in the shape that the
 * clients of a route expect. Leaves out: the checks that throw.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { preview } from '@cipo/verifier/types';
import { Problem, type ProblemCode, problemBody } from './problem.ts';
import type { Route } from './route.ts';

/** Errors of fastify that a caller causes, by their code. */
const FRAMEWORK_ERRORS: Readonly<
  Record<string, readonly [status: number, code: ProblemCode, message: string]>
> = {
  FST_ERR_BAD_URL: [400, 'bad-path', 'the path of the request cannot be decoded'],
  FST_ERR_ROUTE_METHOD_NOT_SUPPORTED: [405, 'bad-method', 'the method is not supported'],
};
const CONTENT_TYPE_ERRORS = new Set(['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'FST_ERR_CTP_EMPTY_TYPE']);

/** The request in which an error occurred. */
export interface FailedRequest {
  readonly contentType: string | undefined;
  /** Undefined if no route matches. */
  readonly route: Route | undefined;
}

/** Any error as a problem. An error that the caller did not cause becomes a 500 without details. */
export function toProblem(error: unknown, request: FailedRequest): Problem {
  if (error instanceof Problem) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (CONTENT_TYPE_ERRORS.has(code)) return unsupportedType(request);
  const known = Object.hasOwn(FRAMEWORK_ERRORS, code) ? FRAMEWORK_ERRORS[code] : undefined;
  if (known) return new Problem(...known);
  return new Problem(500, 'internal', 'internal error; the log of the server has the reason');
}

/** The 415 for a content type that a route does not accept. */
export function unsupportedType({ contentType, route }: FailedRequest): Problem {
  const expected = ['application/json'];
  if (route?.accepts?.includes('ndjson')) expected.push('application/x-ndjson');
  const received = contentType === undefined ? 'none' : preview(contentType);
  const message = `content-type: expected ${expected.join(' or ')}, got ${received}`;
  return new Problem(415, 'unsupported-type', message, { field: 'content-type' });
}

/** @throws {Problem} 415 for a body that is compressed, because its size is unknown, or that is not UTF-8 */
export function checkEncoding(headers: IncomingHttpHeaders): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    const message = `content-encoding: expected none, got ${preview(encoding)}`;
    throw new Problem(415, 'unsupported-encoding', message);
  }
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    const message = `content-type: expected charset=utf-8, got ${preview(charset)}`;
    throw new Problem(415, 'unsupported-encoding', message);
  }
}

/** @throws {Problem} 417 for an expectation other than 100-continue */
export function checkExpectation({ expect }: IncomingHttpHeaders): void {
  if (expect === undefined || expect.toLowerCase() === '100-continue') return;
  const message = `expect: only 100-continue is supported, got ${preview(expect)}`;
  throw new Problem(417, 'bad-expectation', message);
}

/** The body of an error reply. */
export function problemText(problem: Problem, requestId: string, route?: Route): string {
  return JSON.stringify(route?.problem?.(problem, requestId) ?? problemBody(problem, requestId));
}

/** Errors of Node's HTTP parser, by their code. */
const PARSER_ERRORS: Readonly<
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
    'the headers did not arrive in time',
  ],
};

const NOT_HTTP = ['400 Bad Request', 'bad-request', 'the request is not valid HTTP'] as const;

/** Milliseconds for which further bytes of such a client are read. */
const LINGER_MS = 500;

/**
 * Replies to bytes that Node could not parse as a request, and closes the connection. Sends nothing if the reply to an
 * earlier request has begun, because it would become part of that reply.
 *
 * @returns code and status of the reply, for the log; undefined if none was sent
 */
export function rejectConnection(
  socket: Socket,
  error: Error & { readonly code?: string },
  isReplying: boolean,
): { readonly status: number; readonly code: ProblemCode } | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable || isReplying) {
    socket.destroy();
    return undefined;
  }
  const [status, code, message] = PARSER_ERRORS[error.code ?? ''] ?? NOT_HTTP;
  const body = JSON.stringify({ error: { code, message } });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  return { status: Number(status.slice(0, 3)), code };
}
