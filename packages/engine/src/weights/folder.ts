/**
 * Opens a model: a Hugging Face folder or a GGUF file. Opening reads the configuration and headers; tensors are read
 * one at a time.
 */

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '@cipo/support';
import { z } from 'zod';
import { EngineError } from '../errors.ts';
import { type ModelConfig, paramSpecs, parseModelConfig } from '../model/config.ts';
import { openGguf } from './gguf/model.ts';
import { exists, openWeights } from './sharded.ts';
import type { TensorSource } from './source.ts';
import type { TensorName } from './store.ts';

/** A model's configuration and its tensors, which are read on demand. Close `source` after use. */
export interface OpenedModel {
  readonly config: ModelConfig;
  readonly source: TensorSource;
}

/** Whether a path names a GGUF file. */
export function isGguf(path: string): boolean {
  return path.toLowerCase().endsWith('.gguf');
}

/**
 * Opens a model.
 * @throws EngineError `file` naming the file, and the key or tensor that is wrong
 */
export async function openModel(path: string): Promise<OpenedModel> {
  const opened = isGguf(path)
    ? await openGguf(path)
    : { config: await readModelConfig(path), source: await openWeights(path) };
  try {
    checkTensors(opened.source, paramSpecs(opened.config));
    return opened;
  } catch (error) {
    await opened.source.close();
    throw error;
  }
}

/**
 * Reads the configuration of a folder or a GGUF file.
 * @throws EngineError `file` naming the file and the key
 */
export async function readConfig(path: string): Promise<ModelConfig> {
  if (!isGguf(path)) return readModelConfig(path);
  const { config, source } = await openGguf(path);
  await source.close();
  return config;
}

/** Reads `config.json`; the end tokens are read from `generation_config.json` if that exists, as in transformers. */
async function readModelConfig(directory: string): Promise<ModelConfig> {
  const path = join(directory, 'config.json');
  const config = await inFile(path, async () => parseModelConfig(await readJsonFile(path)));
  const generation = await readGenerationConfig(directory);
  return { ...config, ...generation };
}

const id = z.number().int().nonnegative();
const ids = z.union([id, z.array(id).nonempty()]);
const generationSchema = z.object({ eos_token_id: ids.nullish() });

async function readGenerationConfig(directory: string): Promise<Pick<ModelConfig, 'eos_token_id'>> {
  const path = join(directory, 'generation_config.json');
  if (!(await exists(path))) return {};
  return inFile(path, async () => {
    const result = generationSchema.safeParse(await readJsonFile(path));
    if (!result.success) throw new EngineError('file', z.prettifyError(result.error));
    const { eos_token_id } = result.data;
    return eos_token_id === null || eos_token_id === undefined ? {} : { eos_token_id };
  });
}

/** Maximum bytes of a JSON file; tokenizers, the largest, are far smaller. */
const LARGEST_JSON = 2 ** 28;

async function readJsonFile(path: string): Promise<unknown> {
  const { size } = await stat(path);
  if (size > LARGEST_JSON)
    throw new EngineError('file', `${size} bytes, at most ${LARGEST_JSON} are read`);
  return JSON.parse(await readFile(path, 'utf8'));
}

async function inFile<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new EngineError('file', `${path}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** Tensors that old versions of transformers saved; they are recomputed. */
const SUPERFLUOUS = /\.(rotary_emb\.inv_freq|masked_bias|attention\.bias)$/;

/**
 * Checks that every tensor of the model exists in its shape and can be read, and that there is no other tensor: an
 * extra one changes what the model computes elsewhere.
 * @throws EngineError `file` naming file, tensor, shape found and expected
 */
export function checkTensors(
  source: TensorSource,
  specs: readonly TensorName[],
  prefix = '',
): void {
  const known = new Set(specs.map(({ name }) => prefix + name));
  for (const { name, shape } of specs) {
    const found = source.tensors.get(prefix + name);
    if (!found)
      throw new EngineError('file', `${source.path}: tensor "${prefix}${name}" is missing`);
    if (found.shape.join() !== shape.join())
      throw new EngineError(
        'file',
        `${found.path}: tensor "${prefix}${name}" has shape [${found.shape}], expected [${shape}]`,
      );
    if (found.flaw !== undefined)
      throw new EngineError('file', `${found.path}: tensor "${prefix}${name}" ${found.flaw}`);
  }
  if (prefix !== '') return;
  for (const [name, { path, shape }] of source.tensors)
    if (!known.has(name) && name !== 'lm_head.weight' && !SUPERFLUOUS.test(name))
      throw new EngineError(
        'file',
        `${path}: tensor "${name}" of shape [${shape}] has no place in the model that its configuration describes`,
      );
}
