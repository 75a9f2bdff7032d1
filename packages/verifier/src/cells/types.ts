/**
 * The words of this folder: what a cell is made from, what it may use up, and how a job in it can end.
 * A cell is a disposable child process that runs one job at a time. No behaviour here.
 */

/** How to start a cell. Everything in it survives `structuredClone`, for it travels to the pool's threads. */
export interface CellSpec {
  /** `file:` URL of the script that the child runs; it calls `serveCell`. */
  readonly entry: string;
  /** Further arguments for the script, after its name. */
  readonly args?: readonly string[];
  /** Further flags for Node itself, e.g. `--stack-size=...`. */
  readonly nodeFlags?: readonly string[];
  /** Folders or files that the child may read, beside its own package and its modules. */
  readonly readable?: readonly string[];
  /** Cap of the data segment in MB, where `prlimit` exists. An isolate reserves 512 MB of addresses by itself. */
  readonly dataMb?: number;
  /** Time until the child must have said that it is ready. */
  readonly startMs?: number;
  /** A cell is replaced after so many jobs, 10,000 unless told: a new one costs a third of a second. */
  readonly maxJobs?: number;
  /** A cell that still holds more than this after a job is replaced before the next one. */
  readonly recycleRssMb?: number;
}

/** What one job may use up before its cell is killed. Time counts from the start of execution. */
export interface JobLimits {
  readonly wallMs: number;
  /** CPU time of the child's main thread; watched from outside where `/proc` exists. */
  readonly cpuMs?: number;
  readonly rssMb?: number;
  /**
   * For work that never sleeps: a main thread that has been asleep for so long is stuck for good. V8 parks the thread like this when it has run out of memory.
   */
  readonly stallMs?: number;
}

/** What a job has used. `cpuMs` is undefined where nobody could measure it. */
export interface Usage {
  readonly wallMs: number;
  readonly cpuMs: number | undefined;
  readonly peakRssMb: number;
}

/** What a running child was killed for. */
export type KillReason = 'wall' | 'cpu' | 'memory' | 'stall';

/** How a job ended. Only `done` carries a value; it comes from the child and must be read with suspicion. */
export type CellOutcome =
  | { readonly kind: 'done'; readonly value: unknown; readonly usage: Usage }
  | { readonly kind: 'killed'; readonly limit: KillReason; readonly usage: Usage }
  | { readonly kind: 'died'; readonly detail: string; readonly usage: Usage }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'unavailable'; readonly detail: string };

/** One job for a cell: `payload` must survive JSON. */
export interface CellJob {
  readonly payload: unknown;
  readonly limits: JobLimits;
}

/**
 * What a pool's thread does around a job, off the main thread: cut the request down to what the child
 * may see, and turn the outcome into a result. A module that exports both is named by `PoolOptions.desk`.
 */
export interface Desk<Request = unknown, Result = unknown> {
  prepare(request: Request, round: 0 | 1): CellJob;
  /** `undefined` in round 0 asks for one more run in a fresh cell, alone. Round 1 must answer. */
  conclude(request: Request, outcome: CellOutcome, round: 0 | 1): Result | undefined;
}
