/**
 * The one queue of the server: how many rows are judged at once, how many may wait, and for how long. Rows go in
 * order of arrival, a few of each request at a time, so that a large batch does not hold up a small one.
 * Leaves out: what judging is.
 */
import pMap from 'p-map';
import { overloaded, type Problem } from './problem.ts';

export interface GateLimits {
  /** Rows judged at the same time, in each lane. */
  readonly concurrency: number;
  /** Rows that may wait, over all requests. */
  readonly queueRows: number;
  /** How long a request may wait for its first row to begin. */
  readonly queueMs: number;
}

interface Waiter {
  readonly begin: (entered: boolean) => void;
}

/** Rows for one kind of sandbox: where one kind stands still, the others go on. */
interface Lane {
  running: number;
  /** Milliseconds that a row occupied its place lately. */
  meanMs: number;
  readonly line: Set<Waiter>;
}

const ONLY = 'all';

/** Told about rows, for metrics. */
export interface GateWatcher {
  waited(ms: number): void;
}

export class Gate {
  readonly #limits: GateLimits;
  readonly #watcher: GateWatcher | undefined;
  readonly #lanes = new Map<string, Lane>();
  #waiting = 0;
  /** Milliseconds that a row occupied its place lately: what `Retry-After` is guessed from. */
  #meanMs = 10;

  constructor(limits: GateLimits, watcher?: GateWatcher) {
    this.#limits = limits;
    this.#watcher = watcher;
  }

  get running(): number {
    return [...this.#lanes.values()].reduce((sum, { running }) => sum + running, 0);
  }

  /** Rows of admitted requests that have not begun. */
  get waiting(): number {
    return this.#waiting;
  }

  /** @throws {Problem} 429 where `rows` more would not have room. Cheap: asked before a body is read. */
  check(rows = 1): void {
    const free = Math.max(0, this.#limits.concurrency - this.running);
    if (this.#waiting + rows <= this.#limits.queueRows + free) return;
    const message = `${this.#waiting} rows wait already; ${rows} more have no room among ${this.#limits.queueRows}`;
    throw overloaded('queue-full', message, this.#clearedInS());
  }

  /**
   * Runs `work` for every item, each when it is its turn; results in the order of the items. After an abort what
   * has not begun runs at once, for `work` then ends at once, too.
   * @throws {Problem} 429 where there is no room, or no turn came within `queueMs`: then nothing was begun
   */
  async each<T, R>(
    items: readonly T[],
    signal: AbortSignal,
    work: (item: T) => Promise<R>,
    laneOf: (item: T) => string = () => ONLY,
  ): Promise<R[]> {
    this.check(items.length);
    if (items[0] !== undefined) this.#checkLane(this.#lane(laneOf(items[0])));
    const patience = new Patience(this.#limits.queueMs, signal);
    const share = this.#share(items.length);
    const begin = (item: T): Promise<R> => {
      patience.end();
      share.began();
      if (patience.ranOut) throw this.#late();
      return work(item);
    };
    try {
      const turn = (item: T) => this.#turn(patience.signal, laneOf(item), async () => begin(item));
      return await pMap(items, turn, { concurrency: this.#limits.concurrency });
    } finally {
      patience.end();
      share.end();
    }
  }

  /** Refuses now what would be refused later: a turn that cannot be expected in time. */
  #checkLane({ line, meanMs }: Lane): void {
    const { concurrency, queueMs } = this.#limits;
    const expectedMs = (line.size * meanMs) / concurrency;
    // Rows differ: whoever is expected later than half of the limit may well come after it.
    if (expectedMs <= queueMs / 2) return;
    const message = `a turn can be expected in ${Math.round(expectedMs)} ms, and ${queueMs} ms is the limit`;
    throw overloaded('queue-full', message, (expectedMs - queueMs / 2) / 1000);
  }

  /** The rows of one request among those that wait: each leaves once, what is left leaves at the end. */
  #share(rows: number): { began(): void; end(): void } {
    let left = rows;
    const leave = (count: number) => {
      this.#waiting -= count;
      left -= count;
    };
    this.#waiting += rows;
    return { began: () => leave(Math.min(1, left)), end: () => leave(left) };
  }

  /** One item of a stream: waits for its turn without a bound, for its reader waits with it. */
  async next<R>(signal: AbortSignal, work: () => Promise<R>, lane: string = ONLY): Promise<R> {
    this.#waiting += 1;
    return this.#turn(signal, lane, () => {
      this.#waiting -= 1;
      return work();
    });
  }

  /** Takes a place, runs, frees the place. An abort ends the waiting, not the work. */
  async #turn<R>(signal: AbortSignal, name: string, work: () => Promise<R>): Promise<R> {
    const lane = this.#lane(name);
    const start = performance.now();
    const entered = await this.#enter(signal, lane);
    const began = performance.now();
    this.#watcher?.waited(began - start);
    try {
      return await work();
    } finally {
      if (entered) this.#leave(lane, performance.now() - began);
    }
  }

  #lane(name: string): Lane {
    const known = this.#lanes.get(name);
    if (known) return known;
    const lane: Lane = { running: 0, meanMs: 10, line: new Set() };
    this.#lanes.set(name, lane);
    return lane;
  }

  #enter(signal: AbortSignal, lane: Lane): Promise<boolean> | boolean {
    if (signal.aborted) return false;
    if (lane.running < this.#limits.concurrency && lane.line.size === 0) {
      lane.running += 1;
      return true;
    }
    return new Promise((resolve) => {
      const giveUp = () => waiter.begin(false);
      const waiter: Waiter = {
        begin: (entered) => {
          lane.line.delete(waiter);
          signal.removeEventListener('abort', giveUp);
          resolve(entered);
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      lane.line.add(waiter);
    });
  }

  /** The place goes straight to the next in line, so that nobody can slip in between. */
  #leave(lane: Lane, tookMs: number): void {
    this.#meanMs += (tookMs - this.#meanMs) / 50;
    lane.meanMs += (tookMs - lane.meanMs) / 50;
    const [next] = lane.line;
    if (next) next.begin(true);
    else lane.running -= 1;
  }

  #clearedInS(): number {
    return Math.min(60, (this.#waiting * this.#meanMs) / this.#limits.concurrency / 1000);
  }

  #late(): Problem {
    const message = `no row of the request had its turn within ${this.#limits.queueMs} ms`;
    return overloaded('queue-timeout', message, this.#clearedInS());
  }
}

/** Aborts when time has run out before the first row began, or with the request itself. */
class Patience {
  readonly signal: AbortSignal;
  readonly #out = new AbortController();
  readonly #timer: NodeJS.Timeout;
  ranOut = false;

  constructor(ms: number, signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#out.signal]);
    this.#timer = setTimeout(() => {
      this.ranOut = true;
      this.#out.abort();
    }, ms);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
