/** One attempt on its way to a thread of the pool, and the unjudged run that may come back. Types only. */
import type { Usage } from '../cells/types.ts';
import type { Program } from './extract.ts';
import type { CodeRun, RunLimits } from './job.ts';
import type { CodeReference } from './reference.ts';

/** One attempt whose program is extracted and joined with the task's code. */
export interface CodeRequest {
  readonly reference: CodeReference;
  readonly program: Program;
  readonly limits: RunLimits;
  /** Whether to return the run instead of a verdict on it. */
  readonly raw?: boolean;
  /** Only run the program, with this input and these files. Implies `raw`. */
  readonly run?: { readonly stdin: string; readonly files: Readonly<Record<string, string>> };
}

/** What a run gave, without a judgment. */
export interface RawRun {
  readonly kind: 'raw';
  readonly run: CodeRun;
  readonly usage: Usage;
}
