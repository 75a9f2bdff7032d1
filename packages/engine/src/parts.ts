/** What a local engine is made of: model, executor, what is trained, and how memory is used. */

import type { ModelConfig } from './config.ts';
import type { Executor } from './executors/types.ts';
import type { LoraOptions } from './lora/options.ts';
import type { TrainSettings } from './programs.ts';
import type { NamedArrays } from './weights/store.ts';

export interface LocalEngineParts {
  readonly config: ModelConfig;
  readonly executor: Executor;
  /** Absent: {@link LocalEngine.load} brings them. */
  readonly weights?: Readonly<NamedArrays>;
  /** Absent: the model's own weights are trained. */
  readonly lora?: LoraSettings;
  readonly memory?: Partial<MemorySettings>;
  /** Rows (tokens) of a training micro-batch. */
  readonly microBatchRows: number;
  /** Most rollouts written at once. */
  readonly maxLanes: number;
  /** Bytes that the caches of sampling may take; fewer rollouts are written at once where more would not fit. */
  readonly cacheBytes: number;
}

/** Adapters to be trained in place of the model's own weights. */
export interface LoraSettings extends LoraOptions {
  /** Of the adapters' initial weights. */
  readonly seed: number;
  /** Folder or hub id of the base model, for the adapter's files. */
  readonly base?: string;
}

/** What a training run trades for memory. */
export interface MemorySettings extends Omit<TrainSettings, 'adapters'> {
  /** Bytes that compiled programs may keep between runs. */
  readonly scratchBytes: number;
}
