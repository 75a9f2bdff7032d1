/** A policy on disk, a Hugging Face folder or a GGUF file or an adapter, opened into an engine; saved, it is always a folder. */
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
import type { PolicyEngine, Tokenizer } from '../types.ts';
import { checkMemory, limitsOf, type PlannedMemory, planMemory } from './plan.ts';
import { openTokenizer, saveTokenizer } from './tokenizer.ts';

/**
 * The warm start that ships with the package. `cipo pretrain` makes one like it: the same data and seed, but not the
 * same bytes, because the engine's order of sums has changed since.
 */
export const WARM_START = fileURLToPath(new URL('../../models/warm-start', import.meta.url));

export interface Policy {
  readonly engine: PolicyEngine;
  readonly tokenizer: Tokenizer;
  readonly parameters: number;
  /** Parameters that are trained: all, or those of adapters beside them. */
  readonly trained: number;
  readonly lora?: LoraOptions;
  /** For people: executor, backend, threads. */
  readonly description: string;
  /** Folder or file whose tokenizer goes along with every checkpoint. */
  readonly directory: string;
}

/** As many as there are cores, at most 8: what 0 means in the configuration. */
export const threadsOf = (wanted: number) => wanted || Math.min(8, availableParallelism());

/** What of a configuration says how a policy is opened. */
export type PolicyConfig = Pick<TrainConfig, 'engine' | 'seed' | 'lora' | 'objective' | 'rollout'>;

/** What there is in a folder, read before anything is loaded. */
export interface FoundPolicy {
  readonly directory: string;
  /** The model itself: the folder, or the one that its adapter was made for. */
  readonly base: string;
  readonly model: ModelConfig;
  /** Absent: the model's own weights are trained. */
  readonly lora?: LoraOptions;
  /** Whether the folder holds an adapter, which is loaded over its base. */
  readonly isAdapter: boolean;
}

/** @throws where there is no model, naming the file and what would help */
export async function findPolicy(directory: string, config: PolicyConfig): Promise<FoundPolicy> {
  if (await isAdapterFolder(directory)) {
    const { base: name, options } = await readAdapterConfig(directory);
    const base = baseFolder(directory, name);
    return { directory, base, model: await readPolicyConfig(base), lora: options, isAdapter: true };
  }
  const model = await readPolicyConfig(directory);
  const { enabled, ...lora } = config.lora;
  return { directory, base: directory, model, ...(enabled && { lora }), isAdapter: false };
}

/** An adapter names its base by a path from here or from its own folder, or by a hub id: where `cipo pull` puts it. */
function baseFolder(directory: string, name: string): string {
  const places = [resolve(name), resolve(directory, name), resolve('models', name)];
  const found = places.find((path) => name && existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    `${join(directory, 'adapter_config.json')}: its base model "${name}" is no folder here. Fetch it with cipo pull, or change base_model_name_or_path to the folder that has it`,
  );
}

async function readPolicyConfig(path: string): Promise<ModelConfig> {
  if (!existsSync(isGguf(path) ? path : join(path, 'config.json')))
    throw new Error(
      `no policy in ${path}: cannot read config.json. Name a Hugging Face folder or a GGUF file, or leave model out for the shipped warm start`,
    );
  const config = await readConfig(path);
  if (endIds(config).length > 0) return config;
  throw new Error(
    `${path}: no eos_token_id in config.json or generation_config.json; without one no completion would end`,
  );
}

/** A policy that was found, and the memory that it will take. */
export interface PlannedPolicy extends FoundPolicy {
  readonly memory: PlannedMemory;
}

/**
 * Reads what the policy is and plans its memory, without loading it.
 * @param trains false if it will only be sampled and scored
 * @throws where there is no model, naming the file and what would help
 */
export async function planPolicy(
  directory: string,
  config: PolicyConfig,
  trains = true,
): Promise<PlannedPolicy> {
  const found = await findPolicy(directory, config);
  return { ...found, memory: planMemory(found.model, config, found.lora, trains) };
}

/**
 * @param trains false if it will only be sampled and scored
 * @throws if the folder or one of its files is missing, naming it and what would help; if memory does not suffice
 */
export async function openPolicy(
  directory: string,
  config: PolicyConfig,
  trains = true,
): Promise<Policy> {
  return await openPlanned(await planPolicy(directory, config, trains), config);
}

/** Loads a policy within the memory that was planned for it. @throws as {@link openPolicy} */
export async function openPlanned(found: PlannedPolicy, config: PolicyConfig): Promise<Policy> {
  const { directory, memory } = found;
  checkMemory(memory, found.lora !== undefined);
  const home = existsSync(join(directory, 'tokenizer.json')) ? directory : found.base;
  const tokenizer = await openTokenizer(home);
  if (tokenizer.vocabSize > found.model.vocab_size)
    throw new Error(
      `${home}: the tokenizer has ${tokenizer.vocabSize} tokens, the model only ${found.model.vocab_size}`,
    );
  const engine = await loadLocalEngine(found.base, engineOptions(found, config));
  if (found.isAdapter) await engine.load(directory);
  return {
    engine,
    tokenizer,
    parameters: engine.parameterCount,
    trained: engine.trainedCount,
    ...(found.lora && { lora: found.lora }),
    description: engine.executor,
    directory: home,
  };
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

/** Everything that {@link openPolicy} needs, and the optimizer's state unless `weightsOnly`. */
export async function savePolicy(
  policy: Policy,
  directory: string,
  options: { weightsOnly?: boolean } = {},
): Promise<void> {
  await policy.engine.save(directory, options);
  if (resolve(directory) === resolve(policy.directory)) return;
  await saveTokenizer(policy.directory, directory);
}
