/** The parts of a local engine: model, executor, trained weights, limits. */

import type { Executor } from './executors/types.ts';
import type { EngineLimits } from './limits.ts';
import type { LoraOptions } from './lora/options.ts';
import type { ModelConfig } from './model/config.ts';
import type { NamedArrays } from './weights/store.ts';

/** The parts that a LocalEngine is made of. */
export interface LocalEngineParts {
  readonly config: ModelConfig;
  readonly executor: Executor;
  /** Absent: {@link LocalEngine.load} provides them. */
  readonly weights?: Readonly<NamedArrays>;
  /** Absent: the model's own weights are trained. */
  readonly lora?: LoraSettings;
  readonly limits: EngineLimits;
  /** Keep only the input of each layer and recompute the rest in the backward pass. Default false. */
  readonly recompute?: boolean;
}

/** Adapters that are trained instead of the model's weights. */
export interface LoraSettings extends LoraOptions {
  /** Seed of the initial weights of the adapters. */
  readonly seed: number;
  /** Folder or hub id of the base model, for `adapter_config.json`. */
  readonly base?: string;
}
