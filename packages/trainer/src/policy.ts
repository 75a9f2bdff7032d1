/** A policy on disk, a Hugging Face folder or a GGUF file, opened into an engine; saved, it is always a folder. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TrainConfig } from './config.ts';
import { loadLocalEngine } from './engine/index.ts';
import { isGguf, readConfig } from './engine/weights/folder.ts';
import { openTokenizer, saveTokenizer } from './tokenizer.ts';
import type { PolicyEngine, Tokenizer } from './types.ts';

/**
 * The warm start that ships with the package. `cipo pretrain` makes one like it: the same data and seed, but not the
 * same bytes, because the engine's order of sums has changed since.
 */
export const WARM_START = fileURLToPath(new URL('../models/warm-start', import.meta.url));

export interface Policy {
  readonly engine: PolicyEngine;
  readonly tokenizer: Tokenizer;
  readonly parameters: number;
  /** For people: executor, backend, threads. */
  readonly description: string;
  /** Folder or file whose tokenizer goes along with every checkpoint. */
  readonly directory: string;
}

/** As many as there are cores, at most 8: what 0 means in the configuration. */
export const threadsOf = (wanted: number) => wanted || Math.min(8, availableParallelism());

/** @throws where the folder or one of its files is missing, naming it and what would help */
export async function openPolicy(
  directory: string,
  config: Pick<TrainConfig, 'engine' | 'seed'>,
): Promise<Policy> {
  if (!existsSync(isGguf(directory) ? directory : join(directory, 'config.json')))
    throw new Error(
      `no policy in ${directory}: cannot read config.json. Name a Hugging Face folder or a GGUF file, or leave model out for the shipped warm start`,
    );
  const [model, tokenizer] = [await readConfig(directory), await openTokenizer(directory)];
  if (tokenizer.vocabSize > model.vocab_size)
    throw new Error(
      `${directory}: the tokenizer has ${tokenizer.vocabSize} tokens, the model only ${model.vocab_size}`,
    );
  const { executor, backend, threads } = config.engine;
  const engine = await loadLocalEngine(directory, {
    executor,
    ...(backend && { backend }),
    threads: threadsOf(threads),
    seed: config.seed,
  });
  return {
    engine,
    tokenizer,
    parameters: engine.parameterCount,
    description: engine.executor,
    directory,
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
