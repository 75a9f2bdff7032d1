/**
 * @packageDocumentation The local engine: a Llama-style policy that samples and trains in this process.
 * ```ts
 * const engine = await createLocalEngine({ config, seed: 1 });
 * const [[sample]] = await engine.sample([prompt], { groupSize: 1, maxTokens: 64, temperature: 1, seed: 1 });
 * ```
 */

import { type ExecutorOptions, openExecutor } from './executors/open.ts';
import type { ExecutorName } from './executors/types.ts';
import { type EngineLimits, engineLimits } from './limits.ts';
import { LocalEngine } from './local.ts';
import { type ModelConfig, type ModelConfigInput, parseModelConfig } from './model/config.ts';
import type { LoraSettings } from './parts.ts';
import { openModel } from './weights/folder.ts';
import { initialWeights, type NamedArrays } from './weights/store.ts';

export { EngineError, type EngineErrorCode } from './errors.ts';
export {
  type DescribeOptions,
  describeExecutors,
  type ExecutorFinding,
} from './executors/describe.ts';
export type { Probe } from './executors/probe.ts';
export { readJson } from './json.ts';
export type { EngineLimits } from './limits.ts';
export { type LoraOptions, loraModules } from './lora/options.ts';
export { isAdapterFolder, readAdapterConfig } from './lora/peft.ts';
export {
  availableMemory,
  estimateMemory,
  type MemoryEstimate,
  type MemoryPlan,
  memoryAdvice,
} from './memory.ts';
export { endIds } from './model/config.ts';
export { withoutStop } from './sampling/stops.ts';
export type * from './types.ts';
export { writeAtomically } from './weights/bytes.ts';
export { readModel, writeFolder } from './weights/checkpoint.ts';
export type { FloatType } from './weights/floats.ts';
export { isGguf, openModel, readConfig } from './weights/folder.ts';
export { readGgufTokenizer } from './weights/gguf/model.ts';
export type { ExecutorName, LocalEngine, LoraSettings, ModelConfig, ModelConfigInput, NamedArrays };

/** What an engine is made of. Limits that are not given are those of {@link ENGINE_DEFAULTS}. */
export interface EngineOptions extends ExecutorOptions, Partial<EngineLimits> {
  readonly config: ModelConfigInput;
  /** Seed of the initial weights. */
  readonly seed: number;
  /** Weights by their Hugging Face names; absent: random, from the seed. */
  readonly weights?: Readonly<NamedArrays>;
  /** Keep only the input of each layer and recompute the rest in the backward pass. Default false. */
  readonly recompute?: boolean;
  /** Train adapters instead of the model's weights. They are initialized from `seed`, unless they have their own. */
  readonly lora?: Omit<LoraSettings, 'seed'> & { readonly seed?: number };
}

/**
 * Makes an engine from a configuration and weights.
 * @throws EngineError `config` if the configuration or a limit is wrong or a weight is missing; `unavailable` if the
 * executor cannot be opened
 */
export async function createLocalEngine(options: EngineOptions): Promise<LocalEngine> {
  const config = parseModelConfig(options.config);
  const checked = partsOf(options);
  const weights = options.weights ?? initialWeights(config, options.seed);
  return openEngine(options, { config, weights, ...checked });
}

/** Opens an executor and makes an engine on it. Closes the executor if the engine cannot be made. */
async function openEngine(
  options: ExecutorOptions,
  parts: Omit<ConstructorParameters<typeof LocalEngine>[0], 'executor'>,
): Promise<LocalEngine> {
  const executor = await openExecutor(options);
  try {
    return new LocalEngine({ executor, ...parts });
  } catch (error) {
    await executor.close();
    throw error;
  }
}

/**
 * Opens a saved model: a Hugging Face folder or a GGUF file.
 * @throws EngineError naming the file, and the key or tensor that is wrong; `unavailable` if the executor cannot be
 * opened
 */
export async function loadLocalEngine(
  path: string,
  options: Omit<EngineOptions, 'config' | 'seed' | 'weights'> & { readonly seed?: number } = {},
): Promise<LocalEngine> {
  const checked = partsOf(options);
  // Opening checks the tensors against the configuration before memory is allocated for its sizes.
  const { config, source } = await openModel(path);
  await source.close();
  const engine = await openEngine(options, { config, ...checked });
  try {
    await engine.load(path);
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** @throws EngineError naming the limit, what was expected and the value */
function partsOf(options: Omit<EngineOptions, 'config' | 'seed'> & { readonly seed?: number }) {
  const { seed = 1, lora, recompute = false } = options;
  return { limits: engineLimits(options), recompute, ...(lora && { lora: { seed, ...lora } }) };
}
