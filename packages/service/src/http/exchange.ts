/**
 * One request and its reply, from the first header to the last byte: the memory it holds and whether its client is still
 * connected. Leaves out: the content of the reply, and closing the connection (`linger.ts`).
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { BudgetShare, type ByteBudget } from './body.ts';
import type { ProblemCode } from './problem.ts';

export class Exchange {
  readonly id: string;
  readonly response: ServerResponse;
  readonly share: BudgetShare;
  /** Address of the client. */
  readonly remote: string;
  /** Aborts when the client has disconnected or the time for draining is over. */
  readonly signal: AbortSignal;
  readonly #start = performance.now();
  readonly #gone = new AbortController();
  readonly #onEnd: () => void;
  #ended = false;
  /** For the access log. */
  rows = 0;
  bytesIn = 0;
  /** Code of the error reply, if there was one. */
  code: ProblemCode | undefined;
  authorized = false;

  /** @param stop aborts when the time for draining is over */
  constructor(
    id: string,
    response: ServerResponse,
    budget: ByteBudget,
    stop: AbortSignal,
    onEnd: () => void,
  ) {
    this.id = id;
    this.response = response;
    this.share = new BudgetShare(budget);
    this.remote = response.req.socket.remoteAddress ?? '';
    this.signal = AbortSignal.any([this.#gone.signal, stop]);
    this.#onEnd = onEnd;
    response.once('close', () => this.end());
  }

  /** Called when the reply is complete or the client has disconnected, whichever is noticed first. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.share.free();
    if (!this.response.writableFinished) this.#gone.abort();
    this.#onEnd();
  }

  /** Whether the client disconnected before its reply was complete. */
  get clientGone(): boolean {
    return this.#gone.signal.aborted;
  }

  get ms(): number {
    return performance.now() - this.#start;
  }
}

/** The open exchanges of each connection. There are several if a client sends requests without waiting for replies. */
export class Connections {
  readonly #open = new WeakMap<Socket, Set<Exchange>>();

  add(socket: Socket, exchange: Exchange): void {
    let open = this.#open.get(socket);
    if (open === undefined) {
      const all = new Set<Exchange>();
      // Node does not emit `close` on replies that wait behind another one on the same connection.
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

  /** Whether a reply on the connection has begun. */
  isReplying(socket: Socket): boolean {
    return [...(this.#open.get(socket) ?? [])].some((it) => it.response.headersSent);
  }
}
