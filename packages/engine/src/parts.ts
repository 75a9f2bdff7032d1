/** What a local engine is made of: model, executor, what is trained, and how memory is used. */

import type { Executor } from './executors/types.ts';
import type { EngineLimits } from './limits.ts';
import type { LoraOptions } from './lora/options.ts';
import type { ModelConfig } from './model/config.ts';
import type { NamedArrays } from './weights/store.ts';

export interface LocalEngineParts {
  readonly config: ModelConfig;
  readonly executor: Executor;
  /** Absent: {@link LocalEngine.load} brings them. */
  readonly weights?: Readonly<NamedArrays>;
  /** Absent: the model's own weights are trained. */
  readonly lora?: LoraSettings;
  readonly limits: EngineLimits;
  /** Keep only the input of each layer and recompute the rest in the backward pass. Default false. */
  readonly recompute?: boolean;
}

/** Adapters to be trained in place of the model's own weights. */
export interface LoraSettings extends LoraOptions {
  /** Of the adapters' initial weights. */
  readonly seed: number;
  /** Folder or hub id of the base model, for the adapter's files. */
  readonly base?: string;
}
