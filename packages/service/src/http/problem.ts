/**
 * Errors of requests as data: status, a stable code, the field and the received value. A problem is never a verdict, so it
 * cannot be read as a reward. Leaves out: sending it (`replies.ts`, `pipeline.ts`).
 */
import { preview } from '@cipo/verifier/types';

export interface ProblemDetails {
  /** The field of the body, such as `rows[3].tests`. */
  readonly field?: string;
  /** The received value. It is shortened to a preview. */
  readonly received?: unknown;
  /** Headers of the reply. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** All codes of error replies: stable identifiers for programs and metrics, explained in docs/reference/serve.md. */
export const PROBLEM_CODES = [
  ...([
    'empty-body',
    'bad-json',
    'bad-encoding',
    'too-deep',
    'prototype-key',
    'bad-request',
  ] as const),
  ...([
    'bad-query',
    'bad-path',
    'bad-host',
    'unauthorized',
    'operator-only',
    'no-such-path',
  ] as const),
  ...(['bad-method', 'slow-headers', 'slow-body', 'too-large', 'too-many-values'] as const),
  ...(['too-many-rows', 'unsupported-type', 'unsupported-encoding', 'bad-expectation'] as const),
  ...(['unknown-host', 'queue-full', 'queue-timeout', 'too-many-requests', 'bodies-full'] as const),
  ...(['headers-too-large', 'client-gone', 'internal', 'draining'] as const),
  ...(['no-judgement', 'not-run'] as const), // of the wire formats
] as const;
/** One of {@link PROBLEM_CODES}. */
export type ProblemCode = (typeof PROBLEM_CODES)[number];

/** An error reply: throw it from a route. */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** HTTP status of the reply. */
  readonly status: number;
  readonly code: ProblemCode;
  readonly field: string | undefined;
  /** Preview of the received value. */
  readonly received: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: ProblemCode, message: string, details: ProblemDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = details.field;
    this.received = 'received' in details ? preview(details.received) : undefined;
    this.headers = details.headers ?? {};
  }
}

/** A 400 that names a field. @param problem completes the sentence "FIELD: ...", such as `must be a list` */
export function badRequest(field: string, problem: string, received: unknown): Problem {
  return new Problem(400, 'bad-request', `${field}: ${problem}`, { field, received });
}

/** A 429: no capacity now. `retryAfterS` is rounded up to whole seconds, at least 1. */
export function overloaded(code: ProblemCode, message: string, retryAfterS: number): Problem {
  const headers = { 'retry-after': String(Math.max(1, Math.ceil(retryAfterS))) };
  return new Problem(429, code, message, { headers });
}

/** The 503 of a server that is shutting down. */
export function shuttingDown(): Problem {
  return new Problem(503, 'draining', 'the server is shutting down and accepts no new requests', {
    headers: { 'retry-after': '5' },
  });
}

/** The JSON body of an error reply. */
export function problemBody(problem: Problem, requestId: string): unknown {
  const { code, message, field, received } = problem;
  return {
    error: {
      code,
      message,
      ...(field === undefined ? {} : { field }),
      ...(received === undefined ? {} : { received }),
      requestId,
    },
  };
}
