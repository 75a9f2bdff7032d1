/**
 * One request and its reply from the first header to the last byte: what it holds, and whether its client is still
 * there. Leaves out: what is answered, and how a reply ends (`linger.ts`).
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Room, Share } from './body.ts';
import type { ProblemCode } from './problem.ts';

export class Exchange {
  readonly id: string;
  readonly response: ServerResponse;
  readonly share: Share;
  /** Address of the client. */
  readonly remote: string;
  /** Aborts when the client is gone or the server has waited long enough. */
  readonly signal: AbortSignal;
  readonly #start = performance.now();
  readonly #gone = new AbortController();
  readonly #onEnd: () => void;
  #ended = false;
  /** For the access log. */
  rows = 0;
  bytesIn = 0;
  /** Code of the error that was answered. */
  code: ProblemCode | undefined;
  authorised = false;

  /** @param stop aborts when the time for draining is over */
  constructor(
    id: string,
    response: ServerResponse,
    room: Room,
    stop: AbortSignal,
    onEnd: () => void,
  ) {
    this.id = id;
    this.response = response;
    this.share = new Share(room);
    this.remote = response.req.socket.remoteAddress ?? '';
    this.signal = AbortSignal.any([this.#gone.signal, stop]);
    this.#onEnd = onEnd;
    response.once('close', () => this.end());
  }

  /** The reply is whole or its client is gone: whichever is noticed first. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.share.free();
    if (!this.response.writableFinished) this.#gone.abort();
    this.#onEnd();
  }

  /** Whether the client left before its reply was whole. */
  get clientGone(): boolean {
    return this.#gone.signal.aborted;
  }

  get ms(): number {
    return performance.now() - this.#start;
  }
}

/** Which exchanges are under way on which connection; more than one where a client does not wait for replies. */
export class Connections {
  readonly #open = new WeakMap<Socket, Set<Exchange>>();

  add(socket: Socket, exchange: Exchange): void {
    let open = this.#open.get(socket);
    if (open === undefined) {
      const all = new Set<Exchange>();
      // Replies that wait behind another one are not told by Node that their connection is gone.
      socket.once('close', () => all.forEach((it) => void it.end()));
      this.#open.set(socket, all);
      open = all;
    }
    open.add(exchange);
  }

  remove(socket: Socket, exchange: Exchange): void {
    this.#open.get(socket)?.delete(exchange);
  }

  count(socket: Socket): number {
    return this.#open.get(socket)?.size ?? 0;
  }

  /** Whether a reply has begun on the connection. */
  replying(socket: Socket): boolean {
    return [...(this.#open.get(socket) ?? [])].some((it) => it.response.headersSent);
  }
}
