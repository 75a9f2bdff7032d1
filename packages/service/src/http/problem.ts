/**
 * What is wrong with a request, as data: status, a stable code, the field and what was received. Leaves out how it is
 * sent (`server.ts`). No problem is ever a verdict, so none can be read as a reward.
 */
import { preview } from '@cipo/verifier/types';

export interface ProblemDetails {
  /** Where in the body, like `rows[3].tests`. */
  readonly field?: string;
  /** What was there instead, cut to a short preview. */
  readonly received?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Every code that an error reply may have: stable words for programs and metrics. docs/guide/serve.md says what each is. */
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
    'unauthorised',
    'operator-only',
    'no-such-path',
  ] as const),
  ...(['bad-method', 'slow-headers', 'slow-body', 'too-large', 'too-many-values'] as const),
  ...(['too-many-rows', 'unsupported-type', 'unsupported-encoding', 'bad-expectation'] as const),
  ...(['unknown-host', 'queue-full', 'queue-timeout', 'too-many-requests', 'bodies-full'] as const),
  ...(['headers-too-large', 'client-gone', 'internal', 'draining'] as const),
  ...(['no-judgement', 'not-run'] as const), // of the formats of trainers
] as const;
export type ProblemCode = (typeof PROBLEM_CODES)[number];

/** A request that is refused, with the status to answer. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: ProblemCode;
  readonly field: string | undefined;
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

/** 400 that names a field of the body. */
export function badRequest(field: string, problem: string, received: unknown): Problem {
  return new Problem(400, 'bad-request', `${field}: ${problem}`, { field, received });
}

/** 429: there is no room now. `retryAfterS` is when to ask again, in whole seconds. */
export function overloaded(code: ProblemCode, message: string, retryAfterS: number): Problem {
  const headers = { 'retry-after': String(Math.max(1, Math.ceil(retryAfterS))) };
  return new Problem(429, code, message, { headers });
}

/** 503 of a server that is ending: another one will answer, or this one after its restart. */
export function ending(): Problem {
  return new Problem(503, 'draining', 'the server is ending and takes no new work', {
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
