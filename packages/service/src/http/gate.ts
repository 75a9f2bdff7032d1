/**
 * The queue of the server: how many rows are judged at once, how many may wait, and for how long. Rows start in order of
 * arrival, a few of each request at a time, so that a large batch does not delay a small one. Leaves out: judging.
 */
import pMap from 'p-map';
import { overloaded, type Problem } from './problem.ts';

export interface GateLimits {
  /** Maximum rows judged at the same time, for each kind of sandbox. */
  readonly concurrency: number;
  /** Maximum rows that wait, over all requests. */
  readonly queueRows: number;
  /** Maximum milliseconds that a request waits for its first row to start. */
  readonly queueMs: number;
}

interface Waiter {
  /** @param hasSlot false if the wait ended without a slot, by an abort */
  readonly start: (hasSlot: boolean) => void;
}

/** The queue for one kind of sandbox. A kind that is blocked does not block the others. */
interface KindQueue {
  running: number;
  /** Moving average of the milliseconds that a row holds its slot. */
  meanMs: number;
  readonly waiters: Set<Waiter>;
}

const SINGLE_KIND = 'all';
/** Assumed duration of a row before any was measured. */
const INITIAL_MEAN_MS = 10;
/** Weight of the newest row in a moving average. */
const MEAN_WEIGHT = 1 / 50;
const MAX_RETRY_AFTER_S = 60;

/** Receives waiting times, for metrics. */
export interface GateWatcher {
  onWait(ms: number): void;
}

export class Gate {
  readonly #limits: GateLimits;
  readonly #watcher: GateWatcher | undefined;
  readonly #queues = new Map<string, KindQueue>();
  #waiting = 0;
  /** Moving average over all kinds, from which `Retry-After` is estimated. */
  #meanMs = INITIAL_MEAN_MS;

  constructor(limits: GateLimits, watcher?: GateWatcher) {
    this.#limits = limits;
    this.#watcher = watcher;
  }

  get running(): number {
    return [...this.#queues.values()].reduce((sum, { running }) => sum + running, 0);
  }

  /** Rows of admitted requests that have not started. */
  get waiting(): number {
    return this.#waiting;
  }

  /** @throws {Problem} 429 if the queue cannot hold `rows` more. Cheap: called before a body is read. */
  check(rows = 1): void {
    const free = Math.max(0, this.#limits.concurrency - this.running);
    if (this.#waiting + rows <= this.#limits.queueRows + free) return;
    const message = `the queue has ${this.#waiting} of at most ${this.#limits.queueRows} rows and cannot take ${rows} more: retry later`;
    throw overloaded('queue-full', message, this.#estimateClearS());
  }

  /**
   * Runs `work` for each item when a slot is free. Results are in the order of the items. After an abort, items that have
   * not started run at once, because `work` ends immediately on an aborted signal.
   *
   * @throws {Problem} 429 if the queue is full, or if no item started within `queueMs`; no item has then started
   */
  async runAll<T, R>(
    items: readonly T[],
    signal: AbortSignal,
    work: (item: T) => Promise<R>,
    kindOf: (item: T) => string = () => SINGLE_KIND,
  ): Promise<R[]> {
    this.check(items.length);
    if (items[0] !== undefined) this.#checkExpectedWait(this.#queueOf(kindOf(items[0])));
    const timeout = new FirstStartTimeout(this.#limits.queueMs, signal);
    const count = this.#countWaiting(items.length);
    const start = (item: T): Promise<R> => {
      timeout.clear();
      count.rowStarted();
      if (timeout.isExpired) throw this.#timeoutProblem();
      return work(item);
    };
    try {
      const run = (item: T) =>
        this.#runInSlot(timeout.signal, kindOf(item), async () => start(item));
      return await pMap(items, run, { concurrency: this.#limits.concurrency });
    } finally {
      timeout.clear();
      count.end();
    }
  }

  /** Rejects a request now if it would probably be rejected later, after waiting for `queueMs`. */
  #checkExpectedWait({ waiters, meanMs }: KindQueue): void {
    const { concurrency, queueMs } = this.#limits;
    const expectedMs = (waiters.size * meanMs) / concurrency;
    // Rows differ in duration: one that is expected after half of the limit may well start after the limit.
    if (expectedMs <= queueMs / 2) return;
    const message = `the first row would start in about ${Math.round(expectedMs)} ms, too close to the limit of ${queueMs} ms: retry later`;
    throw overloaded('queue-full', message, (expectedMs - queueMs / 2) / 1000);
  }

  /** Counts the rows of one request as waiting. Each leaves the count when it starts; `end` removes the rest. */
  #countWaiting(rows: number): { rowStarted(): void; end(): void } {
    let remaining = rows;
    const remove = (count: number) => {
      this.#waiting -= count;
      remaining -= count;
    };
    this.#waiting += rows;
    return { rowStarted: () => remove(Math.min(1, remaining)), end: () => remove(remaining) };
  }

  /** Runs one item of a stream. It waits for a slot without a limit, because its reader waits with it. */
  async runNext<R>(
    signal: AbortSignal,
    work: () => Promise<R>,
    kind: string = SINGLE_KIND,
  ): Promise<R> {
    this.#waiting += 1;
    return this.#runInSlot(signal, kind, () => {
      this.#waiting -= 1;
      return work();
    });
  }

  /** Waits for a slot, runs, frees the slot. An abort ends the wait, not the work. */
  async #runInSlot<R>(signal: AbortSignal, kind: string, work: () => Promise<R>): Promise<R> {
    const queue = this.#queueOf(kind);
    const start = performance.now();
    const hasSlot = await this.#waitForSlot(signal, queue);
    const started = performance.now();
    this.#watcher?.onWait(started - start);
    try {
      return await work();
    } finally {
      if (hasSlot) this.#freeSlot(queue, performance.now() - started);
    }
  }

  #queueOf(kind: string): KindQueue {
    const known = this.#queues.get(kind);
    if (known) return known;
    const queue: KindQueue = { running: 0, meanMs: INITIAL_MEAN_MS, waiters: new Set() };
    this.#queues.set(kind, queue);
    return queue;
  }

  #waitForSlot(signal: AbortSignal, queue: KindQueue): Promise<boolean> | boolean {
    if (signal.aborted) return false;
    if (queue.running < this.#limits.concurrency && queue.waiters.size === 0) {
      queue.running += 1;
      return true;
    }
    return new Promise((resolve) => {
      const onAbort = () => waiter.start(false);
      const waiter: Waiter = {
        start: (hasSlot) => {
          queue.waiters.delete(waiter);
          signal.removeEventListener('abort', onAbort);
          resolve(hasSlot);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      queue.waiters.add(waiter);
    });
  }

  /** Hands the slot directly to the next waiter, so that no later row can take it in between. */
  #freeSlot(queue: KindQueue, tookMs: number): void {
    this.#meanMs += (tookMs - this.#meanMs) * MEAN_WEIGHT;
    queue.meanMs += (tookMs - queue.meanMs) * MEAN_WEIGHT;
    const [next] = queue.waiters;
    if (next) next.start(true);
    else queue.running -= 1;
  }

  /** Estimated seconds until the rows that wait now have run. */
  #estimateClearS(): number {
    const ms = (this.#waiting * this.#meanMs) / this.#limits.concurrency;
    return Math.min(MAX_RETRY_AFTER_S, ms / 1000);
  }

  #timeoutProblem(): Problem {
    const message = `no row of the request started within ${this.#limits.queueMs} ms: retry later`;
    return overloaded('queue-timeout', message, this.#estimateClearS());
  }
}

/** Aborts with the request, or when the time is over before the first row has started. */
class FirstStartTimeout {
  readonly signal: AbortSignal;
  readonly #expired = new AbortController();
  readonly #timer: NodeJS.Timeout;
  isExpired = false;

  constructor(ms: number, signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#expired.signal]);
    this.#timer = setTimeout(() => {
      this.isExpired = true;
      this.#expired.abort();
    }, ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
