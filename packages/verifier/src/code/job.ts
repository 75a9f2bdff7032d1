/**
 * What travels between a pool's thread and a cell for one attempt: the program and what to do with
 * it. Expected values never do: comparison happens outside. Types only.
 */

export type Language = 'javascript' | 'typescript' | 'python';

/** What one run may use up. Everything is per attempt but `testCpuMs`. */
export interface RunLimits {
  /** CPU time of the whole attempt. */
  readonly cpuMs: number;
  /** CPU time of one test. */
  readonly testCpuMs: number;
  /** Backstop in wall time for when the machine is so loaded that CPU time hardly passes. */
  readonly wallMs: number;
  /** Memory of the guest: an isolate's heap, or Python's whole memory. */
  readonly memoryMb: number;
  /** What one test may print or return, in UTF-16 units of its text. */
  readonly outputBytes: number;
  /** Length of the answer's source text. */
  readonly sourceBytes: number;
}

/** What to do with a program once it is there. */
export type Plan =
  | { readonly kind: 'call'; readonly entry: string; readonly calls: readonly string[] }
  | { readonly kind: 'stdio'; readonly inputs: readonly string[] }
  | { readonly kind: 'assert'; readonly tests: string }
  /** Only run it, and bring what it printed and how it ended. */
  | {
      readonly kind: 'run';
      readonly stdin: string;
      /** Files beside the program: Base64 by relative path. They can be read, not written. */
      readonly files: Readonly<Record<string, string>>;
    };

export interface CodeJob {
  readonly language: Language;
  readonly program: string;
  readonly plan: Plan;
  readonly limits: RunLimits;
  /** Stop at the first test that does not come to an end by itself. */
  readonly stopAtTrouble: boolean;
  /** How much longer than its CPU limit a stretch of guest code may take in wall time. */
  readonly patience: number;
}

/** Why a program or a test brought nothing to compare. Places are in the program, 1-based. */
export type Trouble =
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
  /** The task's own fault: no answer could be judged. */
  | { readonly kind: 'broken-tests'; readonly message: string }
  | {
      readonly kind: 'missing' | 'open' | 'output' | 'time' | 'memory' | 'starved' | 'crashed';
    };

/** What one test brought: a value in wire form, or what was printed, or trouble. */
export type TestRun =
  | { readonly kind: 'value'; readonly wire: string }
  | { readonly kind: 'printed'; readonly text: string }
  | { readonly kind: 'passed'; readonly declared?: string }
  | { readonly kind: 'rejected'; readonly message: string; readonly text: string }
  | WholeRun
  | Trouble;

/** What a program that was only run printed, and how it ended. `code` is its exit code, if it has one. */
export interface WholeRun {
  readonly kind: 'ran';
  readonly end: 'exited' | 'time' | 'output';
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A cell's answer. `load` is set when the program itself did not come up. */
export interface CodeRun {
  readonly load?: Trouble;
  readonly tests: readonly TestRun[];
  readonly cpuMs: number;
}
