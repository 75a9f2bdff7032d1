/** A policy on disk: a Hugging Face folder (config.json, model.safetensors, tokenizer files), opened into an engine. */
import { cp } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TrainConfig } from './config.ts';
import { createLocalEngine, parseModelConfig } from './engine/index.ts';
import { readJson } from './json.ts';
import { loadTokenizer, TOKENIZER_FILES } from './tokenizer.ts';
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
  /** Folder whose tokenizer goes along with every checkpoint. */
  readonly directory: string;
}

/** As many as there are cores, at most 8: what 0 means in the configuration. */
export const threadsOf = (wanted: number) => wanted || Math.min(8, availableParallelism());

/** @throws where the folder or one of its files is missing, naming it and what would help */
export async function openPolicy(
  directory: string,
  config: Pick<TrainConfig, 'engine' | 'seed'>,
): Promise<Policy> {
  const model = parseModelConfig(readModelConfig(directory));
  const tokenizer = loadTokenizer(directory);
  if (tokenizer.vocabSize > model.vocab_size)
    throw new Error(
      `${directory}: the tokenizer has ${tokenizer.vocabSize} tokens, the model only ${model.vocab_size}`,
    );
  const { executor, backend, threads } = config.engine;
  const engine = await createLocalEngine({
    config: model,
    executor,
    ...(backend && { backend }),
    threads: threadsOf(threads),
    seed: config.seed,
  });
  await engine.load(directory);
  return {
    engine,
    tokenizer,
    parameters: engine.parameterCount,
    description: engine.executor,
    directory,
  };
}

function readModelConfig(directory: string): unknown {
  try {
    return readJson(join(directory, 'config.json'));
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (!missing) throw cause;
    throw new Error(
      `no policy in ${directory}: cannot read config.json. Name a Hugging Face folder, or leave model out for the shipped warm start`,
      { cause },
    );
  }
}

/** Everything that {@link openPolicy} needs, and the optimizer's state unless `weightsOnly`. */
export async function savePolicy(
  policy: Policy,
  directory: string,
  options: { weightsOnly?: boolean } = {},
): Promise<void> {
  await policy.engine.save(directory, options);
  if (resolve(directory) === resolve(policy.directory)) return;
  await Promise.all(
    TOKENIZER_FILES.map((name) => cp(join(policy.directory, name), join(directory, name))),
  );
}
