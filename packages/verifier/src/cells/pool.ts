/**
 * A pool of cells: piscina threads that each own one disposable child process. Requests queue here;
 * one whose cell died is run once more, alone, before anybody judges it.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { sibling } from './command.ts';
import { PidTable } from './registry.ts';
import type { CellSpec } from './types.ts';
import type { ThreadReply, ThreadTask } from './worker.ts';

export interface PoolOptions extends CellSpec {
  /** Threads, and so cells. Default: one per core. */
  readonly threads?: number;
  /** URL of a module that exports the functions of a `Desk`; without it requests are `CellJob`s. */
  readonly desk?: string;
  /** Requests that may wait. Beyond it `run` answers `overloaded`. Default: no bound. */
  readonly maxQueue?: number;
}

/** How a request ended: with a result, or without a judgement and the reason for that. */
export type PoolReply<Result> =
  | { readonly kind: 'result'; readonly result: Result }
  | {
      readonly kind: 'void';
      readonly fault: 'infra' | 'overloaded' | 'aborted';
      readonly detail: string;
    };

const CLOSE_MS = 2000;

/** Every open pool of this process, and what the closed ones had started. */
const open = new Set<CellPool<never, unknown>>();
let startedBefore = 0;

/** Cells of all pools of this process, for metrics: how many live, and how many were ever started. */
export function cellCounts(): { readonly alive: number; readonly started: number } {
  const pools = [...open];
  return {
    alive: pools.reduce((sum, pool) => sum + pool.pids.length, 0),
    started: pools.reduce((sum, pool) => sum + pool.started, startedBefore),
  };
}

export class CellPool<Request, Result> {
  readonly #piscina: Piscina<ThreadTask, ThreadReply>;
  readonly #pids = new PidTable();
  readonly #running = new Set<Promise<unknown>>();
  readonly #onExit = () => this.#pids.killAll();
  /** Second rounds go through here one after another: alone means alone. */
  #alone: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: PoolOptions) {
    const { threads = availableParallelism(), desk, maxQueue, ...spec } = options;
    this.#piscina = new Piscina({
      filename: fileURLToPath(sibling(import.meta.url, './worker')),
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      maxQueue: maxQueue ?? Number.POSITIVE_INFINITY,
      atomics: 'disabled', // a thread blocked on Atomics could not see its child exit
      execArgv: [],
      workerData: { spec, desk, pids: this.#pids.shared },
    });
    this.#piscina.on('error', () => undefined); // the tasks of a broken thread reject by themselves
    process.once('exit', this.#onExit);
    open.add(this);
  }

  /** Ids of the living child processes, for tests and for people who watch. */
  get pids(): readonly number[] {
    return this.#pids.pids();
  }

  /** Child processes ever started: more than there are threads were replaced. */
  get started(): number {
    return this.#pids.started;
  }

  /**
   * Runs one request. Never rejects: what goes wrong on our side is a `void` reply.
   * On abort the reply comes at once and the cell at work on it is killed.
   */
  run(request: Request, signal?: AbortSignal): Promise<PoolReply<Result>> {
    if (this.#closing) return Promise.resolve(nothing('aborted', 'the pool is closed'));
    if (signal?.aborted) return Promise.resolve(nothing('aborted', 'aborted before it began'));
    const work = withAbort(signal, (cancel) => this.#rounds(request, cancel));
    this.#running.add(work);
    return work.finally(() => this.#running.delete(work));
  }

  /** Ends every thread and every child. Work under way answers `aborted`. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #rounds(
    request: Request,
    cancel: SharedArrayBuffer | undefined,
  ): Promise<PoolReply<Result>> {
    const first = await this.#round({ request, round: 0, cancel });
    if (first.kind !== 'again') return this.#reply(first);
    const second = this.#alone.then(() => this.#round({ request, round: 1, cancel }));
    this.#alone = second;
    return this.#reply(await second);
  }

  async #round(task: ThreadTask): Promise<ThreadReply> {
    try {
      return await this.#piscina.run(task);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { kind: 'trouble', outcome: { kind: 'unavailable', detail } };
    }
  }

  #reply(reply: ThreadReply): PoolReply<Result> {
    if (reply.kind === 'result') return { kind: 'result', result: reply.result as Result };
    const { outcome } = reply;
    if (outcome.kind === 'aborted' || this.#closing) return nothing('aborted', 'aborted');
    const detail = 'detail' in outcome ? outcome.detail : `the cell was ${outcome.kind}`;
    const full = /queue|limit reached/i.test(detail) && outcome.kind === 'unavailable';
    return nothing(full ? 'overloaded' : 'infra', detail);
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
    if (open.delete(this)) startedBefore += this.started;
  }
}

function nothing(fault: 'infra' | 'overloaded' | 'aborted', detail: string): PoolReply<never> {
  return { kind: 'void', fault, detail };
}

/** Runs `work` with a flag in shared memory that the signal raises, and answers first if it does. */
function withAbort<T>(
  signal: AbortSignal | undefined,
  work: (cancel: SharedArrayBuffer | undefined) => Promise<PoolReply<T>>,
): Promise<PoolReply<T>> {
  if (!signal) return work(undefined);
  const cancel = new SharedArrayBuffer(4);
  return new Promise((resolve, reject) => {
    const abort = () => {
      Atomics.store(new Int32Array(cancel), 0, 1);
      resolve(nothing('aborted', 'aborted by its owner'));
    };
    signal.addEventListener('abort', abort, { once: true });
    work(cancel)
      .finally(() => signal.removeEventListener('abort', abort))
      .then(resolve, reject);
  });
}

/** @param keepsAlive whether the process may not end before the time is over */
function pause(ms: number, keepsAlive = true): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    if (!keepsAlive) timer.unref();
  });
}
