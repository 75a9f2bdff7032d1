/**
 * @packageDocumentation The local engine: a Llama-style policy that samples and trains in this process.
 * ```ts
 * const engine = await createLocalEngine({ config, seed: 1 });
 * const [[sample]] = await engine.sample([prompt], { groupSize: 1, maxTokens: 64, temperature: 1, seed: 1 });
 * ```
 */

import { type ModelConfig, type ModelConfigInput, parseModelConfig } from './config.ts';
import { type ExecutorOptions, openExecutor } from './executors/open.ts';
import type { ExecutorName } from './executors/types.ts';
import { LocalEngine } from './local.ts';
import type { LoraSettings, MemorySettings } from './parts.ts';
import { checkRules, isWhole } from './rules.ts';
import { openModel } from './weights/folder.ts';
import { initialWeights, type NamedArrays } from './weights/store.ts';

export { endIds, parseModelConfig } from './config.ts';
export { type DescribeOptions, describeExecutors, type ExecutorFinding } from './describe.ts';
export { readJson } from './json.ts';
export { type LoraOptions, loraModules } from './lora/options.ts';
export { type AdapterFolder, isAdapterFolder, readAdapterConfig } from './lora/peft.ts';
export {
  availableMemory,
  estimateMemory,
  type MemoryEstimate,
  type MemoryPlan,
  memoryAdvice,
} from './memory.ts';
export type { Probe } from './probe.ts';
export { withoutStop } from './sampling/stops.ts';
export type * from './types.ts';
export { writeAtomically } from './weights/bytes.ts';
export { readModel, writeFolder } from './weights/checkpoint.ts';
export type { FloatType } from './weights/floats.ts';
export { isGguf, openModel, readConfig } from './weights/folder.ts';
export { readGgufTokenizer } from './weights/gguf/model.ts';
export type {
  ExecutorName,
  LocalEngine,
  LoraSettings,
  MemorySettings,
  ModelConfig,
  ModelConfigInput,
  NamedArrays,
};

export interface EngineOptions extends ExecutorOptions {
  readonly config: ModelConfigInput;
  /** Of the initial weights. */
  readonly seed: number;
  /** By Hugging Face name; absent: random from the seed. */
  readonly weights?: Readonly<NamedArrays>;
  /** Rows (tokens) that a training run holds at once; memory grows with it. */
  readonly microBatchRows?: number;
  /** Most rollouts written at once. Default 512. */
  readonly maxLanes?: number;
  /** MB that the caches of sampling may take: fewer rollouts are written at once where more would not fit. Default 4096. */
  readonly cacheMb?: number;
  /** Adapters to be trained in place of the model's own weights; they start from the seed, unless it has its own. */
  readonly lora?: Omit<LoraSettings, 'seed'> & { readonly seed?: number };
  readonly memory?: Partial<MemorySettings>;
}

/** @throws where the configuration or a limit is wrong, a weight missing, or the executor not available. */
export async function createLocalEngine(options: EngineOptions): Promise<LocalEngine> {
  const config = parseModelConfig(options.config);
  const checked = limits(options);
  const weights = options.weights ?? initialWeights(config, options.seed);
  return opened(options, { config, weights, ...checked });
}

/** An engine on an executor of its own, which does not stay open where there can be no engine. */
async function opened(
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
 * A model as it was saved: a Hugging Face folder or a GGUF file.
 * @throws naming the file, and the key or tensor that is wrong; or where the executor is not available.
 */
export async function loadLocalEngine(
  path: string,
  options: Omit<EngineOptions, 'config' | 'seed' | 'weights'> & { readonly seed?: number } = {},
): Promise<LocalEngine> {
  const checked = limits(options);
  // Memory is taken for sizes that the tensors bear out, not for what a configuration says.
  const { config, source } = await openModel(path);
  await source.close();
  const engine = await opened(options, { config, ...checked });
  try {
    await engine.load(path);
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** @throws naming the limit, its value and what is allowed */
function limits({
  microBatchRows = 2048,
  maxLanes = 512,
  cacheMb = 4096,
  seed = 1,
  lora,
  memory,
}: Omit<EngineOptions, 'config' | 'seed' | 'weights'> & { readonly seed?: number }) {
  checkRules('engine option', [
    ['microBatchRows', microBatchRows, isWhole(microBatchRows, 1), 'a whole number from 1'],
    ['maxLanes', maxLanes, isWhole(maxLanes, 1), 'a whole number from 1'],
    ['cacheMb', cacheMb, cacheMb > 0, 'a number above 0'],
  ]);
  return {
    microBatchRows,
    maxLanes,
    cacheBytes: cacheMb * 2 ** 20,
    ...(lora && { lora: { seed, ...lora } }),
    ...(memory && { memory }),
  };
}
