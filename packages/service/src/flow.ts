/**
 * Many items at once, results in the order of the items, in bounded memory: a slow item does not keep the
 * others waiting as long as their finished results fit the budget. Knows nothing of rows.
 */

export interface FlowOptions<S, R> {
  /** Items at work at the same time. */
  readonly inFlight: number;
  /** Items at work may add up to this, in the unit of `weightOf`; one alone may be heavier. Default: no bound. */
  readonly maxWeight?: number;
  readonly weightOf?: (item: S) => number;
  /** Finished results may wait for a slow one before them until their sizes add up to this. */
  readonly maxHeld: number;
  /** Size of a finished result, in the unit of `maxHeld`. */
  readonly sizeOf: (result: R) => number;
  /** On abort the flow ends at once; what has not been yielded by then never is. */
  readonly signal?: AbortSignal | undefined;
}

/** How long the event loop may go without its turn, so that signals and timers are heard. */
const TURN_MS = 20;

/** @throws what the source or the work throws; the results before it have been yielded or are lost */
export async function* inOrder<S, R>(
  source: AsyncIterable<S>,
  work: (item: S) => Promise<R>,
  options: FlowOptions<S, R>,
): AsyncGenerator<R> {
  const { signal } = options;
  const items = source[Symbol.asyncIterator]();
  const belt = new Belt<S, R>(work, options);
  const wake = () => belt.wake();
  signal?.addEventListener('abort', wake);
  try {
    while (!signal?.aborted) {
      yield* belt.finished();
      if (belt.isDone) return;
      belt.feed(items);
      await belt.change();
      await belt.turn();
    }
  } finally {
    signal?.removeEventListener('abort', wake);
    // A source that is waiting for its next item cannot end before that comes: nobody waits for it.
    if (!belt.isFeeding) await items.return?.();
  }
}

/** Items under way and finished results that wait for their turn. */
class Belt<S, R> {
  readonly #work: (item: S) => Promise<R>;
  readonly #options: FlowOptions<S, R>;
  readonly #ready = new Map<number, R>();
  #started = 0;
  #yielded = 0;
  #running = 0;
  #weight = 0;
  #held = 0;
  #feeding = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #changed = false;
  #wake: (() => void) | undefined;
  #turnedMs = performance.now();

  constructor(work: (item: S) => Promise<R>, options: FlowOptions<S, R>) {
    this.#work = work;
    this.#options = options;
  }

  get isDone(): boolean {
    return this.#ended && this.#yielded === this.#started;
  }

  get isFeeding(): boolean {
    return this.#feeding;
  }

  get #hasRoom(): boolean {
    const { inFlight, maxHeld, maxWeight = Number.POSITIVE_INFINITY } = this.#options;
    return this.#running < inFlight && this.#held < maxHeld && this.#weight < maxWeight;
  }

  /** Asks for the next item, if there is room for it and none is on its way. */
  feed(items: AsyncIterator<S>): void {
    if (this.#feeding || this.#ended || !this.#hasRoom) return;
    this.#feeding = true;
    items.next().then(
      (next) => this.#fed(next),
      (error) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.wake();
  }

  #fed(next: IteratorResult<S>): void {
    this.#feeding = false;
    if (next.done) this.#ended = true;
    else this.#start(next.value);
    this.wake();
  }

  #start(item: S): void {
    const index = this.#started++;
    const weight = this.#options.weightOf?.(item) ?? 0;
    this.#running += 1;
    this.#weight += weight;
    this.#work(item).then(
      (result) => this.#finish(index, weight, result),
      (error) => this.#fail(error),
    );
  }

  #finish(index: number, weight: number, result: R): void {
    this.#running -= 1;
    this.#weight -= weight;
    this.#held += this.#options.sizeOf(result);
    this.#ready.set(index, result);
    this.wake();
  }

  /** What can be yielded now. */
  *finished(): Generator<R> {
    while (this.#ready.has(this.#yielded)) {
      const result = this.#ready.get(this.#yielded) as R;
      this.#ready.delete(this.#yielded++);
      this.#held -= this.#options.sizeOf(result);
      yield result;
    }
  }

  wake(): void {
    this.#changed = true;
    this.#wake?.();
  }

  /** Settles when there is something new: an item, a result, the end, an abort. @throws what the source threw */
  async change(): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    this.#changed = false;
    this.#wake = undefined;
    if (this.#failure) throw this.#failure.error;
  }

  async turn(): Promise<void> {
    if (performance.now() - this.#turnedMs < TURN_MS) return;
    await new Promise((done) => setImmediate(done));
    this.#turnedMs = performance.now();
  }
}
