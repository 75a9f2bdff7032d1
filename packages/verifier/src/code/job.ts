/**
 * What travels between a thread of the pool and a cell for one attempt: the program, and what to do with it. Expected
 * values never do, because outputs are compared outside. Leaves out: all behavior.
 */

/** The languages in which a program can be verified or run. */
export type Language = 'javascript' | 'typescript' | 'python';

/** What one attempt may use. Only `testCpuMs`, `outputChars` apply to a single test. */
export interface RunLimits {
  /** CPU time of the whole attempt. */
  readonly cpuMs: number;
  /** CPU time of one test. */
  readonly testCpuMs: number;
  /** Wall time of the whole attempt: a backstop for a machine with so much load that CPU time hardly advances. */
  readonly wallMs: number;
  /** Memory of the guest: the heap of an isolate, or the whole memory of Python. */
  readonly memoryMb: number;
  /** How much text one test may print or return, in characters (UTF-16 code units; code points in Python). */
  readonly outputChars: number;
  /** Length of the program that the response submits, in UTF-16 code units. */
  readonly sourceChars: number;
}

/** What to do with a program once it is loaded. */
export type Plan =
  | { readonly kind: 'call'; readonly entry: string; readonly calls: readonly string[] }
  | { readonly kind: 'stdio'; readonly inputs: readonly string[] }
  | { readonly kind: 'assert'; readonly tests: string }
  /** Only run it, and return what it printed and how it ended. */
  | {
      readonly kind: 'run';
      readonly stdin: string;
      /** Read-only files beside the program: Base64 by relative path. */
      readonly files: Readonly<Record<string, string>>;
    };

/** The payload of one job. */
export interface CodeJob {
  readonly language: Language;
  readonly program: string;
  readonly plan: Plan;
  readonly limits: RunLimits;
  /** Whether to stop at the first test with an {@link AbnormalEnd}. */
  readonly stopAtAbnormalEnd: boolean;
  /** How much wall time a stretch of guest code may take, as a multiple of its CPU limit. */
  readonly wallFactor: number;
}

/**
 * Why a program or a test gave nothing to compare. Lines and columns are in the program and start at 1.
 * - `syntax`: the program does not compile
 * - `threw`: an error reached the top
 * - `violation`: the program tried what the sandbox forbids
 * - `exit`: the program ended itself before its tests did
 * - `broken-tests`: the test program of the task is invalid, so that no attempt can be judged
 * - `missing`: the program has no function with the name of the entry
 * - `open`: a promise never settled
 * - `output`, `time`, `memory`: a limit was exceeded
 * - `starved`: the machine gave the guest too little CPU time, or others had used its isolate's memory. Runs again
 * - `crashed`: the cell died
 */
export type AbnormalEnd =
  | {
      readonly kind: 'syntax';
      readonly message: string;
      readonly line?: number;
      readonly column?: number;
    }
  | {
      readonly kind: 'threw' | 'violation';
      readonly name: string;
      readonly message: string;
      readonly line?: number;
      readonly column?: number;
    }
  | { readonly kind: 'exit'; readonly code?: string }
  | { readonly kind: 'broken-tests'; readonly message: string }
  | {
      readonly kind: 'missing' | 'open' | 'output' | 'time' | 'memory' | 'starved' | 'crashed';
    };

/**
 * What one test gave: a value in wire form, printed text, the judgment of an assert program or a checker, or an
 * abnormal end.
 */
export type TestRun =
  | { readonly kind: 'value'; readonly wire: string }
  | { readonly kind: 'printed'; readonly text: string }
  | { readonly kind: 'passed'; readonly declared?: string }
  | { readonly kind: 'rejected'; readonly message: string; readonly text: string }
  | ProgramRun
  | AbnormalEnd;

/**
 * What a program printed that was run without tests, and how it ended. `code` is its exit code if `end` is `exited`.
 */
export interface ProgramRun {
  readonly kind: 'ran';
  readonly end: 'exited' | 'time' | 'output';
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The answer of a cell. `load` is set if the program itself could not be loaded. */
export interface CodeRun {
  readonly load?: AbnormalEnd;
  readonly tests: readonly TestRun[];
  readonly cpuMs: number;
}
