/**
 * Request bodies as bytes: no more than allowed, no slower than allowed, no more at once over all requests than the
 * server has room for. Leaves out: what the bytes say (`json.ts`).
 */
import type { IncomingMessage } from 'node:http';
import { overloaded, Problem } from './problem.ts';

export interface BodyLimits {
  /** Bytes of one body, or of one line of a stream. */
  readonly bodyBytes: number;
  /** Milliseconds that a body, or a line of a stream, may take to come. */
  readonly bodyMs: number;
}

/** Bytes of bodies in memory, over all requests. */
export class Room {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** @throws {Problem} 429 where `bytes` more have no room */
  check(bytes: number): void {
    if (this.#held + bytes <= this.#limit) return;
    const message = `bodies of ${this.#held} bytes are held already, of ${this.#limit} at most`;
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

/** What one request holds of the {@link Room}; freed when the request ends. */
export class Share {
  readonly #room: Room;
  #held = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  take(bytes: number): void {
    this.#room.take(bytes);
    this.#held += bytes;
  }

  free(bytes: number = this.#held): void {
    this.#room.free(bytes);
    this.#held -= bytes;
  }
}

/** The length that a request announces; undefined for one that comes in chunks. Node has checked its form. */
export function announced(request: IncomingMessage): number | undefined {
  const length = request.headers['content-length'];
  if (length !== undefined) return Number(length);
  return request.headers['transfer-encoding'] === undefined ? 0 : undefined;
}

/** @throws {Problem} 413 for a body whose announced length is too much */
export function checkAnnounced(request: IncomingMessage, limits: BodyLimits): void {
  if ((announced(request) ?? 0) > limits.bodyBytes) throw tooLarge(limits);
}

export function tooLarge({ bodyBytes }: BodyLimits): Problem {
  return new Problem(413, 'too-large', `more than ${bodyBytes} bytes`);
}

/** The whole body. @throws {Problem} 413, 408, 429; 499 where the client went away */
export async function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  share: Share,
): Promise<Buffer> {
  checkAnnounced(request, limits);
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of chunks(request, new Patience(limits.bodyMs))) {
    length += part.length;
    if (length > limits.bodyBytes) throw tooLarge(limits);
    share.take(part.length);
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}

/** Milliseconds that may still be spent on waiting for a client. Time that we need ourselves does not count. */
export class Patience {
  readonly #ms: number;
  #left: number;

  constructor(ms: number) {
    this.#ms = ms;
    this.#left = ms;
  }

  renew(): void {
    this.#left = this.#ms;
  }

  async wait<T>(promise: Promise<T>): Promise<T> {
    const start = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `the body did not come within ${this.#ms} ms`;
      timer = setTimeout(() => reject(new Problem(408, 'slow-body', message)), this.#left);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
      this.#left -= performance.now() - start;
    }
  }
}

/** The chunks of a body as they come. Ending early leaves the request alive, so that it can be answered. */
export async function* chunks(
  request: IncomingMessage,
  patience: Patience,
): AsyncGenerator<Buffer, void> {
  const source = request.iterator({ destroyOnReturn: false });
  for (;;) {
    const next = await patience.wait(source.next()).catch(asProblem);
    if (next.done) return;
    yield next.value;
  }
}

function asProblem(error: unknown): never {
  if (error instanceof Problem) throw error;
  throw new Problem(499, 'client-gone', 'the client went away before its body was whole');
}
