/**
 * Ordered concurrency with bounded memory: processes many items at once and yields results in the order of the items. A
 * slow item does not hold up later ones while their finished results fit the limit. Leaves out: what the items are.
 */

/** Limits of {@link inOrder}. */
export interface FlowOptions<S, R> {
  /** Maximum number of items in work at the same time. */
  readonly inFlight: number;
  /**
   * Maximum total weight of the items in work, in the unit of `weightOf`. A single item may be heavier. Default: no limit.
   */
  readonly maxWeight?: number;
  /** Weight of an item. Default: 0. */
  readonly weightOf?: (item: S) => number;
  /** Maximum total size of finished results that wait for a slow item before them, in the unit of `sizeOf`. */
  readonly maxHeld: number;
  /** Size of a finished result. */
  readonly sizeOf: (result: R) => number;
  /** An abort ends the flow at once. Results that were not yielded by then are dropped. */
  readonly signal?: AbortSignal | undefined;
}

/** Longest time without a turn of the event loop: signals and timers are handled in between. */
const MAX_BLOCKED_MS = 20;

/**
 * Runs `work` on many items at once and yields the results in the order of the items.
 *
 * @throws whatever `source` or `work` throws. Results that were finished, but not yet yielded, are then lost.
 */
export async function* inOrder<S, R>(
  source: AsyncIterable<S>,
  work: (item: S) => Promise<R>,
  options: FlowOptions<S, R>,
): AsyncGenerator<R> {
  const { signal } = options;
  const items = source[Symbol.asyncIterator]();
  const window = new OrderedWindow<S, R>(work, options);
  const wake = () => window.wake();
  signal?.addEventListener('abort', wake);
  try {
    while (!signal?.aborted) {
      yield* window.takeFinished();
      if (window.isDone) return;
      window.requestNext(items);
      await window.waitForChange();
      await window.yieldToEventLoop();
    }
  } finally {
    signal?.removeEventListener('abort', wake);
    // A source that still waits for its next item cannot be ended before the item comes, so it is not awaited.
    if (!window.isRequesting) await items.return?.();
  }
}

/** The items in work and the finished results that wait for earlier ones. */
class OrderedWindow<S, R> {
  readonly #work: (item: S) => Promise<R>;
  readonly #options: FlowOptions<S, R>;
  readonly #finished = new Map<number, R>();
  #started = 0;
  #yielded = 0;
  #running = 0;
  #weight = 0;
  #held = 0;
  #requesting = false;
  #sourceEnded = false;
  #failure: { readonly error: unknown } | undefined;
  #changed = false;
  #wake: (() => void) | undefined;
  #lastTurnMs = performance.now();

  constructor(work: (item: S) => Promise<R>, options: FlowOptions<S, R>) {
    this.#work = work;
    this.#options = options;
  }

  get isDone(): boolean {
    return this.#sourceEnded && this.#yielded === this.#started;
  }

  /** Whether the source was asked for an item that has not come yet. */
  get isRequesting(): boolean {
    return this.#requesting;
  }

  get #hasCapacity(): boolean {
    const { inFlight, maxHeld, maxWeight = Number.POSITIVE_INFINITY } = this.#options;
    return this.#running < inFlight && this.#held < maxHeld && this.#weight < maxWeight;
  }

  /** Requests the next item, unless a request is pending, the source has ended or a limit is reached. */
  requestNext(items: AsyncIterator<S>): void {
    if (this.#requesting || this.#sourceEnded || !this.#hasCapacity) return;
    this.#requesting = true;
    items.next().then(
      (next) => this.#onNext(next),
      (error) => this.#onError(error),
    );
  }

  #onError(error: unknown): void {
    this.#failure ??= { error };
    this.wake();
  }

  #onNext(next: IteratorResult<S>): void {
    this.#requesting = false;
    if (next.done) this.#sourceEnded = true;
    else this.#startItem(next.value);
    this.wake();
  }

  #startItem(item: S): void {
    const index = this.#started++;
    const weight = this.#options.weightOf?.(item) ?? 0;
    this.#running += 1;
    this.#weight += weight;
    this.#work(item).then(
      (result) => this.#onResult(index, weight, result),
      (error) => this.#onError(error),
    );
  }

  #onResult(index: number, weight: number, result: R): void {
    this.#running -= 1;
    this.#weight -= weight;
    this.#held += this.#options.sizeOf(result);
    this.#finished.set(index, result);
    this.wake();
  }

  /** Yields the results that are next in order. */
  *takeFinished(): Generator<R> {
    while (this.#finished.has(this.#yielded)) {
      const result = this.#finished.get(this.#yielded) as R;
      this.#finished.delete(this.#yielded++);
      this.#held -= this.#options.sizeOf(result);
      yield result;
    }
  }

  wake(): void {
    this.#changed = true;
    this.#wake?.();
  }

  /** Settles on the next item, result, end of the source or abort. @throws what the source or the work threw */
  async waitForChange(): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    this.#changed = false;
    this.#wake = undefined;
    if (this.#failure) throw this.#failure.error;
  }

  async yieldToEventLoop(): Promise<void> {
    if (performance.now() - this.#lastTurnMs < MAX_BLOCKED_MS) return;
    await new Promise((done) => setImmediate(done));
    this.#lastTurnMs = performance.now();
  }
}
