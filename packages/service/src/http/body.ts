/**
 * Reads request bodies as bytes, with limits on size, on time, and on the memory of all bodies together. Leaves out: what
 * the bytes mean (`json.ts`).
 */
import type { IncomingMessage } from 'node:http';
import { overloaded, Problem } from './problem.ts';

export interface BodyLimits {
  /** Maximum bytes of one body, or of one line of a stream. */
  readonly bodyBytes: number;
  /** Maximum milliseconds in which a body, or a line of a stream, must arrive. */
  readonly bodyMs: number;
}

/** Bytes of request bodies in memory, over all requests. */
export class ByteBudget {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** @throws {Problem} 429 if `bytes` more would exceed the limit */
  check(bytes: number): void {
    if (this.#held + bytes <= this.#limit) return;
    const message = `the request bodies in memory have ${this.#held} of at most ${this.#limit} bytes: retry later`;
    throw overloaded('bodies-full', message, 1);
  }

  take(bytes: number): void {
    this.check(bytes);
    this.#held += bytes;
  }

  free(bytes: number): void {
    this.#held -= bytes;
  }
}

/** The bytes of a {@link ByteBudget} that one request holds. They are freed when the request ends. */
export class BudgetShare {
  readonly #budget: ByteBudget;
  #held = 0;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  take(bytes: number): void {
    this.#budget.take(bytes);
    this.#held += bytes;
  }

  free(bytes: number = this.#held): void {
    this.#budget.free(bytes);
    this.#held -= bytes;
  }
}

/** The content-length of a request, which Node has validated. Undefined for a chunked body. */
export function declaredLength(request: IncomingMessage): number | undefined {
  const length = request.headers['content-length'];
  if (length !== undefined) return Number(length);
  return request.headers['transfer-encoding'] === undefined ? 0 : undefined;
}

/** @throws {Problem} 413 if the content-length exceeds the limit */
export function checkDeclaredLength(request: IncomingMessage, limits: BodyLimits): void {
  if ((declaredLength(request) ?? 0) > limits.bodyBytes) throw tooLarge(limits);
}

export function tooLarge({ bodyBytes }: BodyLimits): Problem {
  const message = `the body, or one line of a stream, has more than ${bodyBytes} bytes`;
  return new Problem(413, 'too-large', message);
}

/** Reads the whole body. @throws {Problem} 413, 408, 429; 499 if the client disconnected */
export async function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  share: BudgetShare,
): Promise<Buffer> {
  checkDeclaredLength(request, limits);
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of readChunks(request, new ReadTimeout(limits.bodyMs))) {
    length += part.length;
    if (length > limits.bodyBytes) throw tooLarge(limits);
    share.take(part.length);
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}

/** Limits the total time spent waiting for a client. Time that the server itself needs does not count. */
export class ReadTimeout {
  readonly #ms: number;
  #remainingMs: number;

  constructor(ms: number) {
    this.#ms = ms;
    this.#remainingMs = ms;
  }

  reset(): void {
    this.#remainingMs = this.#ms;
  }

  async wait<T>(promise: Promise<T>): Promise<T> {
    const start = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      const message = `the body did not arrive within ${this.#ms} ms`;
      timer = setTimeout(() => reject(new Problem(408, 'slow-body', message)), this.#remainingMs);
    });
    try {
      return await Promise.race([promise, timeout]);
    } finally {
      clearTimeout(timer);
      this.#remainingMs -= performance.now() - start;
    }
  }
}

/** Yields the chunks of a body as they arrive. Stopping early keeps the request open, so that it can be answered. */
export async function* readChunks(
  request: IncomingMessage,
  timeout: ReadTimeout,
): AsyncGenerator<Buffer, void> {
  const source = request.iterator({ destroyOnReturn: false });
  for (;;) {
    const next = await timeout.wait(source.next()).catch(rethrowAsProblem);
    if (next.done) return;
    yield next.value;
  }
}

function rethrowAsProblem(error: unknown): never {
  if (error instanceof Problem) throw error;
  throw new Problem(499, 'client-gone', 'the client disconnected before its body was complete');
}
