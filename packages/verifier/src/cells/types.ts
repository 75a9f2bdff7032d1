/**
 * The types of this folder: how a cell is started, what a job in it may use, and how a job can end. A cell is a
 * disposable child process that runs one job at a time. Leaves out: all behavior.
 */

/** How to start a cell. Every value must survive `structuredClone`, because it is sent to the threads of the pool. */
export interface CellSpec {
  /** `file:` URL of the script that the child runs. The script calls `serveCell`. */
  readonly entry: string;
  /** Command-line arguments after the name of the script. */
  readonly args?: readonly string[];
  /** Additional flags for Node, such as `--stack-size=...`. */
  readonly nodeFlags?: readonly string[];
  /** Folders or files that the child may read in addition to its own package and its modules. */
  readonly readable?: readonly string[];
  /**
   * Limit of the data segment in MB, on machines with `prlimit`. Default 2560. An isolate alone reserves 512 MB of
   * addresses.
   */
  readonly dataMb?: number;
  /** Time in which the child must report that it is ready, and then that a job has begun. Default 30,000. */
  readonly startMs?: number;
  /** A cell is replaced after this many jobs. Default 10,000: starting a cell takes a third of a second. */
  readonly maxJobs?: number;
  /** A cell whose resident memory exceeds this after a job is replaced. Default 320. */
  readonly recycleRssMb?: number;
}

/** What one job may use before its cell is killed. Time counts from the start of execution. */
export interface JobLimits {
  readonly wallMs: number;
  /** CPU time of the child's main thread. It is measured from outside, on systems with `/proc`. */
  readonly cpuMs?: number;
  /** Resident memory of the child, on systems with `/proc`. */
  readonly rssMb?: number;
  /**
   * For work that never sleeps: how long the main thread may be asleep before the job counts as stuck. V8 parks a
   * thread like this when its isolate has no memory left.
   */
  readonly stallMs?: number;
}

/** What a job has used. */
export interface Usage {
  readonly wallMs: number;
  /** Undefined if the job was killed on a system without `/proc`. */
  readonly cpuMs: number | undefined;
  readonly peakRssMb: number;
}

/** The limit for which a running child was killed. */
export type KillReason = 'wall' | 'cpu' | 'memory' | 'stall';

/**
 * How a job ended. `done`: the child answered; `value` is untrusted. `killed`: a limit was exceeded. `died`: the child
 * ended without a result. `aborted`: the caller canceled. `unavailable`: the child did not start or its handler
 * threw.
 */
export type CellOutcome =
  | { readonly kind: 'done'; readonly value: unknown; readonly usage: Usage }
  | { readonly kind: 'killed'; readonly limit: KillReason; readonly usage: Usage }
  | { readonly kind: 'died'; readonly detail: string; readonly usage: Usage }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'unavailable'; readonly detail: string };

/** One job for a cell. */
export interface CellJob {
  /** Must survive JSON. */
  readonly payload: unknown;
  readonly limits: JobLimits;
}

/**
 * What a thread of the pool does around a job, off the main thread: it reduces a request to what the child may see, and
 * turns the outcome into a result. `PoolOptions.adapter` names a module that exports both functions.
 */
export interface JobAdapter<Request = unknown, Result = unknown> {
  prepare(request: Request, round: 0 | 1): CellJob;
  /**
   * Returns undefined in round 0 to run the request once more, alone and in a fresh cell. Round 1 must return a result.
   */
  conclude(request: Request, outcome: CellOutcome, round: 0 | 1): Result | undefined;
}
