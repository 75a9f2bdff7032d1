/**
 * A pool of cells: threads of piscina that each own one child process. Requests wait here for a thread. A request whose
 * cell died runs once more, alone, before it gets a result.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { errorMessage } from '@cipo/support';
import { Piscina } from 'piscina';
import { sibling } from './command.ts';
import { PidTable } from './registry.ts';
import type { CellSpec } from './types.ts';
import type { ThreadReply, ThreadTask } from './worker.ts';

/** How many cells a pool has, and how they are started. */
export interface PoolOptions extends CellSpec {
  /** Number of threads, each with one cell. Default: one per core. */
  readonly threads?: number;
  /** URL of a module that exports the functions of a `JobAdapter`. Without it a request is a `CellJob`. */
  readonly adapter?: string;
  /** How many requests may wait. Above that `run` replies `overloaded`. Default: no limit. */
  readonly maxQueue?: number;
}

/** How a request ended: with a result, or with the reason why there is none. */
type PoolReply<Result> =
  | { readonly kind: 'result'; readonly result: Result }
  | {
      readonly kind: 'void';
      readonly fault: 'infra' | 'overloaded' | 'aborted';
      readonly detail: string;
    };

const CLOSE_MS = 2000;

const openPools = new Set<CellPool<never, unknown>>();
let startedInClosedPools = 0;

/** Counts the cells of all pools in this process, for metrics: how many are alive, and how many were ever started. */
export function cellCounts(): { readonly alive: number; readonly started: number } {
  const pools = [...openPools];
  return {
    alive: pools.reduce((sum, pool) => sum + pool.pids.length, 0),
    started: pools.reduce((sum, pool) => sum + pool.started, startedInClosedPools),
  };
}

/** Messages of piscina for a task that it does not accept. */
const QUEUE_IS_FULL = /^(?:Task queue is at limit|No task queue available)/;

/** Runs requests in cells, one per thread, and queues the rest. */
export class CellPool<Request, Result> {
  readonly #piscina: Piscina<ThreadTask, ThreadReply>;
  readonly #pids = new PidTable();
  readonly #running = new Set<Promise<unknown>>();
  readonly #onExit = () => this.#pids.killAll();
  /** The last second round. Second rounds wait for each other, so that no two run at the same time. */
  #lastSecondRound: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: PoolOptions) {
    const { threads = availableParallelism(), adapter, maxQueue, ...spec } = options;
    this.#piscina = new Piscina({
      filename: fileURLToPath(sibling(import.meta.url, './worker')),
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      maxQueue: maxQueue ?? Number.POSITIVE_INFINITY,
      atomics: 'disabled', // a thread blocked in Atomics.wait could not see its child exit
      execArgv: [],
      workerData: { spec, adapter, pids: this.#pids.shared },
    });
    this.#piscina.on('error', () => undefined); // the tasks of a broken thread reject by themselves
    process.once('exit', this.#onExit);
    openPools.add(this);
  }

  /** Process ids of the living cells, for tests and monitoring. */
  get pids(): readonly number[] {
    return this.#pids.pids();
  }

  /** Number of child processes ever started. Those beyond the number of threads replaced another. */
  get started(): number {
    return this.#pids.started;
  }

  /**
   * Runs one request. Never rejects: an infrastructure failure is a `void` reply. When the signal aborts, the reply
   * comes at once and the cell that runs the request is killed.
   */
  run(request: Request, signal?: AbortSignal): Promise<PoolReply<Result>> {
    if (this.#closing) return Promise.resolve(voidReply('aborted', 'the pool is closed'));
    if (signal?.aborted) return Promise.resolve(voidReply('aborted', 'aborted before it began'));
    const work = withAbort(signal, (cancel) => this.#runRounds(request, cancel));
    this.#running.add(work);
    return work.finally(() => this.#running.delete(work));
  }

  /** Ends every thread and every child. Requests that run are answered with `aborted`. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #runRounds(
    request: Request,
    cancel: SharedArrayBuffer | undefined,
  ): Promise<PoolReply<Result>> {
    const first = await this.#runRound({ request, round: 0, cancel });
    if (first.kind !== 'retry') return this.#toReply(first);
    const second = this.#lastSecondRound.then(() => this.#runRound({ request, round: 1, cancel }));
    this.#lastSecondRound = second;
    return this.#toReply(await second);
  }

  async #runRound(task: ThreadTask): Promise<ThreadReply> {
    try {
      return await this.#piscina.run(task);
    } catch (error) {
      return { kind: 'failure', outcome: { kind: 'unavailable', detail: errorMessage(error) } };
    }
  }

  #toReply(reply: ThreadReply): PoolReply<Result> {
    if (reply.kind === 'result') return { kind: 'result', result: reply.result as Result };
    const { outcome } = reply;
    if (outcome.kind === 'aborted' || this.#closing) return voidReply('aborted', 'aborted');
    const detail = 'detail' in outcome ? outcome.detail : `the cell was ${outcome.kind}`;
    const isFull = QUEUE_IS_FULL.test(detail) && outcome.kind === 'unavailable';
    return voidReply(isFull ? 'overloaded' : 'infra', detail);
  }

  async #shutDown(): Promise<void> {
    this.#pids.close();
    this.#pids.killAll();
    await Promise.race([Promise.allSettled(this.#running), pause(CLOSE_MS, false)]);
    const deadline = performance.now() + CLOSE_MS;
    while (this.#pids.pids().length > 0 && performance.now() < deadline) {
      this.#pids.killAll();
      await pause(5);
    }
    await this.#piscina.destroy();
    this.#pids.killAll();
    process.off('exit', this.#onExit);
    if (openPools.delete(this)) startedInClosedPools += this.started;
  }
}

function voidReply(fault: 'infra' | 'overloaded' | 'aborted', detail: string): PoolReply<never> {
  return { kind: 'void', fault, detail };
}

/** Gives `work` a flag in shared memory. An abort of the signal sets the flag and settles the promise at once. */
function withAbort<T>(
  signal: AbortSignal | undefined,
  work: (cancel: SharedArrayBuffer | undefined) => Promise<PoolReply<T>>,
): Promise<PoolReply<T>> {
  if (!signal) return work(undefined);
  const cancel = new SharedArrayBuffer(4);
  return new Promise((resolve, reject) => {
    const abort = () => {
      Atomics.store(new Int32Array(cancel), 0, 1);
      resolve(voidReply('aborted', 'the caller cancelled'));
    };
    signal.addEventListener('abort', abort, { once: true });
    work(cancel)
      .finally(() => signal.removeEventListener('abort', abort))
      .then(resolve, reject);
  });
}

/** @param keepsAlive whether the process has to stay alive until the time is over */
function pause(ms: number, keepsAlive = true): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    if (!keepsAlive) timer.unref();
  });
}
