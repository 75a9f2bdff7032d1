/** What a run tells while it goes on. The command line draws them; the run folder keeps them. */

import type { LoraOptions, MemoryEstimate } from '@cipo/engine';
import type { Status } from '@cipo/verifier/types';
import type { TrainConfig } from './config.ts';

/** An estimate with its 95 % bootstrap interval over problems; shares lie in [0, 1]. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Problems it stands on. */
  readonly n: number;
}

/** Held-out quality. `fixRate` = P(right | wrong anchor), `retention` = P(right | right anchor). */
export interface Quality {
  readonly passAt1: Estimate;
  /** At k attempts, {@link Evaluation.k}. */
  readonly passAtK: Estimate;
  readonly fixRate: Estimate;
  readonly retention: Estimate;
}

export interface Evaluation extends Quality {
  /** Attempts of each task. */
  readonly k: number;
  readonly perKind: Readonly<Record<string, Quality>>;
  /** Attempts without a judgement: left out of every share above. */
  readonly voided: number;
  readonly generatedTokens: number;
}

/** One attempt shown to people: base stream, or a correction with the anchor it started from. */
export interface SampleRecord {
  readonly step: number;
  readonly kind: string;
  readonly taskId: string;
  readonly stream: 'base' | 'correction';
  readonly prompt: string;
  readonly attempt: string;
  /** Absent where the verdict was void. */
  readonly passed?: boolean;
  readonly status: Status | 'void';
  readonly diagnostics: readonly string[];
  readonly advantage: number;
  /** Values of the reward terms, unweighted, where there is more than correctness. */
  readonly rewards?: Readonly<Record<string, number>>;
  /** Of a correction: the earlier attempt and how it was judged. */
  readonly anchor?: {
    readonly attempt: string;
    readonly passed: boolean;
    readonly diagnosticsShown: readonly string[];
  };
}

/** TRL's metric names to numbers; see docs/reference/metrics.md. */
export type Metrics = Readonly<Record<string, number>>;

export type TrainEvent =
  /** Before anything is loaded: what the run will take, in bytes, and what it may. */
  | { readonly type: 'memory'; readonly estimate: MemoryEstimate; readonly budget: number }
  | {
      readonly type: 'start';
      readonly config: TrainConfig;
      readonly directory: string;
      readonly parameters: number;
      /** Parameters that are trained: all, or those of adapters beside them. */
      readonly trained: number;
      readonly lora?: LoraOptions;
      readonly engine: string;
      readonly resumedAt: number;
    }
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
  | {
      readonly type: 'step';
      readonly step: number;
      readonly steps: number;
      readonly metrics: Metrics;
      readonly samples: readonly SampleRecord[];
    }
  | {
      readonly type: 'checkpoint';
      readonly step: number;
      readonly directory: string;
      readonly best: boolean;
    }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'end'; readonly summary: Summary; readonly directory: string };

/** `summary.json` of a run. */
export interface Summary {
  readonly preset: string;
  readonly seed: number;
  /** Of the model. */
  readonly parameters: number;
  /** Those that were trained: all, or those of adapters beside them. */
  readonly trained: number;
  readonly lora?: LoraOptions;
  readonly steps: number;
  readonly generatedTokens: number;
  readonly wallSeconds: number;
  readonly interrupted: boolean;
  readonly before: QualityNumbers;
  /** null where the run was interrupted before it was measured. */
  readonly after: QualityNumbers | null;
  readonly intervals: { readonly before: Evaluation; readonly after: Evaluation | null };
}

export interface QualityNumbers {
  readonly passAt1: number;
  readonly passAtK: number;
  readonly fixRate: number;
  readonly retention: number;
}
