/** Where tasks come from: the embedded procedural kinds, or rows of files. */
import type { Attempt, Diagnostic, Domain, Message, Task } from '@cipo/verifier/types';

/** A task with the domain that judges it. */
export interface TrainingTask {
  /** Heading under which results are grouped: an embedded kind, or the name of the domain. */
  readonly kind: string;
  readonly task: Task;
  readonly domain: Domain;
  /** The messages that show an attempt at this task and ask for a correction. */
  correction(attempt: Attempt, diagnostics: readonly Diagnostic[]): readonly Message[];
}

/** Gives the tasks of a run. What it gives depends only on its arguments and the seed it was made with. */
export interface TaskSource {
  /**
   * `count` training tasks of a step.
   * @param step 1-based
   * @param round 0 for the batch itself, then the number of the refill (dynamic sampling)
   */
  train(step: number, count: number, round: number): readonly TrainingTask[];
  /** At most `count` held-out tasks: always the same ones in the same order, whatever the seed. */
  heldOut(count: number): readonly TrainingTask[];
  /** Rows that could not be read: one sentence each, with file and line. */
  readonly warnings: readonly string[];
  /** Releases the domains of the tasks. */
  close(): Promise<void>;
}
