/** The events of a run and the records that it writes. The command line draws them; the run folder stores them. */
import type { LoraOptions, MemoryEstimate } from '@cipo/engine';
import type { Status } from '@cipo/verifier/types';
import type { TrainConfig } from './config.ts';

/** An estimate with its 95 % bootstrap interval over problems. Shares are in [0, 1]; NaN if nothing was counted. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Number of problems. */
  readonly n: number;
}

/** Held-out quality. */
export interface Quality {
  /** pass@1: share of correct attempts. */
  readonly passAt1: Estimate;
  /** pass@k: share of problems with a correct attempt among k, see {@link Evaluation.k}. */
  readonly passAtK: Estimate;
  /** P(correct | incorrect anchor): share of incorrect attempts that a correction makes correct. */
  readonly fixRate: Estimate;
  /** P(correct | correct anchor): share of correct attempts that a correction keeps correct. */
  readonly retention: Estimate;
}

/** A held-out evaluation: two turns of every task. */
export interface Evaluation extends Quality {
  /** Attempts per task. */
  readonly k: number;
  readonly perKind: Readonly<Record<string, Quality>>;
  /** Attempts and corrections with a void verdict. They are in none of the shares. */
  readonly voided: number;
  /** Tokens of all attempts and corrections. */
  readonly generatedTokens: number;
}

/** One rollout for people to read: a row of samples.jsonl. */
export interface SampleRecord {
  /** Training step; 0 outside training. */
  readonly step: number;
  readonly kind: string;
  readonly taskId: string;
  readonly stream: 'base' | 'correction';
  /** Text of the task's prompt, also for a correction. */
  readonly prompt: string;
  readonly attempt: string;
  /** Whether the attempt is correct. Absent if its verdict is void. */
  readonly passed?: boolean;
  readonly status: Status | 'void';
  readonly diagnostics: readonly string[];
  readonly advantage: number;
  /** Unweighted values of the reward terms, if there are others than correctness. */
  readonly rewards?: Readonly<Record<string, number>>;
  /** Only for a correction: the attempt that its prompt showed. */
  readonly anchor?: {
    readonly attempt: string;
    readonly passed: boolean;
    readonly diagnosticsShown: readonly string[];
  };
}

/** Metrics of a step by name; docs/reference/metrics.md lists them. Those that were not measured are absent. */
export type Metrics = Readonly<Record<string, number>>;

/** What a run reports while it runs. Discriminated by `type`. */
export type TrainEvent =
  /** Before anything is loaded: bytes of memory that the run needs and may use. */
  | { readonly type: 'memory'; readonly estimate: MemoryEstimate; readonly budget: number }
  /** The policy is loaded and the run folder is ready. */
  | {
      readonly type: 'start';
      readonly config: TrainConfig;
      readonly directory: string;
      /** Parameters of the model. */
      readonly parameters: number;
      /** Trained parameters: all, or those of the adapters. */
      readonly trained: number;
      readonly lora?: LoraOptions;
      /** Executor, backend and threads, for people. */
      readonly engine: string;
      /** Steps done before this run continued; 0 for a new run. */
      readonly resumedAt: number;
    }
  /** Progress of an evaluation, in tasks. */
  | {
      readonly type: 'evaluating';
      readonly phase: 'before' | 'during' | 'after';
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly type: 'evaluated';
      readonly phase: 'before' | 'during' | 'after';
      readonly step: number;
      readonly evaluation: Evaluation;
    }
  /** A training step is done and recorded. */
  | {
      readonly type: 'step';
      readonly step: number;
      /** Steps of the whole run. */
      readonly steps: number;
      readonly metrics: Metrics;
      readonly samples: readonly SampleRecord[];
    }
  /** A checkpoint was saved; `best` if it is the best one so far. */
  | {
      readonly type: 'checkpoint';
      readonly step: number;
      readonly directory: string;
      readonly best: boolean;
    }
  | { readonly type: 'warning'; readonly message: string }
  /** The run is over, complete or interrupted. */
  | { readonly type: 'end'; readonly summary: Summary; readonly directory: string };

/** The result of a run: `summary.json`. */
export interface Summary {
  readonly preset: string;
  readonly seed: number;
  /** Parameters of the model. */
  readonly parameters: number;
  /** Trained parameters: all, or those of the adapters. */
  readonly trained: number;
  readonly lora?: LoraOptions;
  /** Steps done. */
  readonly steps: number;
  /** Tokens generated in training, both streams. */
  readonly generatedTokens: number;
  readonly wallSeconds: number;
  readonly interrupted: boolean;
  /** Held-out quality before training. */
  readonly before: QualityNumbers;
  /** Held-out quality after training; null if the run was interrupted before it was measured. */
  readonly after: QualityNumbers | null;
  /** The evaluations with their intervals. */
  readonly intervals: { readonly before: Evaluation; readonly after: Evaluation | null };
}

/** The means of a {@link Quality}. */
export interface QualityNumbers {
  readonly passAt1: number;
  readonly passAtK: number;
  readonly fixRate: number;
  readonly retention: number;
}
