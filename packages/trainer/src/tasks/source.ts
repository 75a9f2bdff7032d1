/** Where tasks come from: the embedded procedural kinds, or rows of files. Both are functions of the seed and the step. */
import type { Attempt, Diagnostic, Domain, Message, Task } from '@cipo/verifier/types';

/** A task with the domain that judges it and the words that ask for a correction of it. */
export interface TrainingTask {
  /** Heading under which results are grouped. */
  readonly kind: string;
  readonly task: Task;
  readonly domain: Domain;
  correction(attempt: Attempt, diagnostics: readonly Diagnostic[]): readonly Message[];
}

export interface TaskSource {
  /** `count` training tasks of a step; `round` counts the refills of dynamic sampling. */
  train(step: number, count: number, round: number): readonly TrainingTask[];
  /** The first `count` held-out tasks, always the same ones. */
  heldOut(count: number): readonly TrainingTask[];
  /** What could not be read, one sentence each, for a warning. */
  readonly problems: readonly string[];
  close(): Promise<void>;
}
