/**
 * Opens a policy from disk into an engine: a Hugging Face folder, a GGUF file or a folder with a LoRA adapter. Saving
 * always writes a folder.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  endIds,
  isAdapterFolder,
  isGguf,
  type LoraOptions,
  loadLocalEngine,
  type ModelConfig,
  readAdapterConfig,
  readConfig,
} from '@cipo/engine';
import type { TrainConfig } from '../config.ts';
import { FileError } from '../errors.ts';
import type { PolicyEngine, Tokenizer } from '../types.ts';
import { checkMemory, limitsOf, type PlannedMemory, planMemory } from './plan.ts';
import { openTokenizer, saveTokenizer } from './tokenizer.ts';

/**
 * Folder of the warm start that the package ships: a Llama model of 0.3 million parameters for the embedded tasks.
 * `cipo pretrain` makes one like it from the same data and seed, but not the same bytes: the order in which the engine
 * adds numbers has changed since.
 */
export const WARM_START = fileURLToPath(new URL('../../models/warm-start', import.meta.url));

/** An opened policy. Close its engine after use. */
export interface Policy {
  readonly engine: PolicyEngine;
  readonly tokenizer: Tokenizer;
  /** Number of parameters of the model. */
  readonly parameters: number;
  /** Number of trained parameters: all, or those of the adapters. */
  readonly trained: number;
  /** Absent if the model's own weights are trained. */
  readonly lora?: LoraOptions;
  /** Executor, backend and threads, for people. */
  readonly description: string;
  /** Folder or file with the tokenizer that every checkpoint gets a copy of. */
  readonly directory: string;
}

/** The part of a configuration that {@link openPolicy} reads. */
export type PolicyConfig = Pick<TrainConfig, 'engine' | 'seed' | 'lora' | 'objective' | 'rollout'>;

/** A policy whose configuration was read, but not its weights, and the memory that it needs. */
export interface PlannedPolicy extends PolicyFiles {
  readonly memory: PlannedMemory;
}

/** What a folder or file holds. */
interface PolicyFiles {
  readonly directory: string;
  /** Folder or file of the model: `directory`, or the base model of its adapter. */
  readonly base: string;
  readonly model: ModelConfig;
  /** Absent if the model's own weights are trained. */
  readonly lora?: LoraOptions;
  /** Whether the folder holds an adapter, which is loaded over its base model. */
  readonly isAdapter: boolean;
}

const MAX_DEFAULT_THREADS = 8;

/** Resolves a number of threads or processes of the configuration: 0 is one per core, at most 8. */
export function threadsOf(configured: number): number {
  return configured || Math.min(MAX_DEFAULT_THREADS, availableParallelism());
}

/**
 * Opens a policy for training or sampling.
 * @param directory Hugging Face folder, GGUF file or folder with a LoRA adapter
 * @param trains false if the policy will only sample and score
 * @throws {FileError} if the folder or one of its files is missing; {ConfigError} if the policy does not fit in memory;
 * {EngineError} if a file or a limit is invalid
 */
export async function openPolicy(
  directory: string,
  config: PolicyConfig,
  trains = true,
): Promise<Policy> {
  return await openPlanned(await planPolicy(directory, config, trains), config);
}

/**
 * Reads what the policy is and plans its memory, without loading it.
 * @param trains false if the policy will only sample and score
 * @throws {FileError} if there is no model, naming the file and the remedy
 */
export async function planPolicy(
  directory: string,
  config: PolicyConfig,
  trains = true,
): Promise<PlannedPolicy> {
  const files = await readPolicyFiles(directory, config);
  return { ...files, memory: planMemory(files.model, config, files.lora, trains) };
}

/** Loads a policy within its planned memory. @throws as {@link openPolicy} */
export async function openPlanned(planned: PlannedPolicy, config: PolicyConfig): Promise<Policy> {
  const { directory, base, model, lora, isAdapter, memory } = planned;
  checkMemory(memory, lora !== undefined);
  const tokenizerFrom = existsSync(join(directory, 'tokenizer.json')) ? directory : base;
  const tokenizer = await openTokenizer(tokenizerFrom);
  if (tokenizer.vocabSize > model.vocab_size) {
    throw new FileError(
      `${tokenizerFrom}: the tokenizer has ${tokenizer.vocabSize} tokens, the model only ${model.vocab_size}`,
    );
  }
  const engine = await loadLocalEngine(base, engineOptions(planned, config));
  if (isAdapter) await engine.load(directory);
  return {
    engine,
    tokenizer,
    parameters: engine.parameterCount,
    trained: engine.trainedCount,
    ...(lora && { lora }),
    description: engine.executor,
    directory: tokenizerFrom,
  };
}

/** Writes what {@link openPolicy} needs, and the state of the optimizer unless `weightsOnly`. */
export async function savePolicy(
  policy: Policy,
  directory: string,
  options: { readonly weightsOnly?: boolean } = {},
): Promise<void> {
  await policy.engine.save(directory, options);
  if (resolve(directory) === resolve(policy.directory)) return;
  await saveTokenizer(policy.directory, directory);
}

async function readPolicyFiles(directory: string, config: PolicyConfig): Promise<PolicyFiles> {
  if (await isAdapterFolder(directory)) {
    const { base: name, options } = await readAdapterConfig(directory);
    const base = findBaseModel(directory, name);
    return { directory, base, model: await readModelConfig(base), lora: options, isAdapter: true };
  }
  const model = await readModelConfig(directory);
  const { enabled, ...lora } = config.lora;
  return { directory, base: directory, model, ...(enabled && { lora }), isAdapter: false };
}

/**
 * An adapter names its base model by a path from here or from its folder, or by the id under which `cipo pull` saves
 * it.
 */
function findBaseModel(directory: string, name: string): string {
  const places = [resolve(name), resolve(directory, name), resolve('models', name)];
  const found = places.find((path) => name && existsSync(path));
  if (found !== undefined) return found;
  throw new FileError(
    `${join(directory, 'adapter_config.json')}: base_model_name_or_path: expected a folder, got "${name}", which does not exist here. Fetch it with cipo pull, or change the key to the folder of the base model`,
  );
}

async function readModelConfig(path: string): Promise<ModelConfig> {
  if (!existsSync(isGguf(path) ? path : join(path, 'config.json'))) {
    throw new FileError(
      `${path}: no model here: cannot read config.json. Name a Hugging Face folder or a GGUF file, or leave out model to use the shipped warm start`,
    );
  }
  const config = await readConfig(path);
  if (endIds(config).length > 0) return config;
  throw new FileError(
    `${path}: no eos_token_id in config.json or generation_config.json; without it no completion would end`,
  );
}

function engineOptions(
  { base, lora, memory: { scratchBytes } }: PlannedPolicy,
  { engine, seed }: PolicyConfig,
) {
  const { executor, backend, threads, recompute } = engine;
  return {
    executor,
    ...(backend && { backend }),
    threads: threadsOf(threads),
    seed,
    ...limitsOf(engine),
    scratchBytes,
    recompute,
    ...(lora && { lora: { ...lora, base: resolve(base) } }),
  };
}
