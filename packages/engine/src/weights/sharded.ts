/**
 * Opens the weights of a Hugging Face folder: `model.safetensors`, or the shards listed in
 * `model.safetensors.index.json`.
 */

import { access } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../errors.ts';
import { readJson } from '../json.ts';
import { openSafetensors } from './safetensors.ts';
import type { TensorEntry, TensorSource } from './source.ts';

export const WEIGHTS_FILE = 'model.safetensors';
const INDEX_FILE = 'model.safetensors.index.json';
const MOST_SHARDS = 1000;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** @throws EngineError `file` if neither exists, naming both; if a shard is missing or lacks a tensor of the index */
export async function openWeights(directory: string): Promise<TensorSource> {
  const path = join(directory, WEIGHTS_FILE);
  if (await exists(path)) return openSafetensors(path);
  const index = join(directory, INDEX_FILE);
  if (await exists(index)) return openShards(directory, index);
  throw new EngineError(
    'file',
    `${directory}: no weights, neither ${WEIGHTS_FILE} nor ${INDEX_FILE}`,
  );
}

async function openShards(directory: string, index: string): Promise<TensorSource> {
  const parsed = indexSchema.safeParse(readJson(index));
  if (!parsed.success) throw new EngineError('file', `${index}: ${z.prettifyError(parsed.error)}`);
  const { weight_map } = parsed.data;
  const names = [...new Set(Object.values(weight_map))];
  if (names.length > MOST_SHARDS)
    throw new EngineError(
      'file',
      `${index}: ${names.length} shards, at most ${MOST_SHARDS} are read`,
    );
  const strange = names.find(
    (name) => name === '' || name !== basename(name) || name.startsWith('.') || name.includes('\0'),
  );
  if (strange !== undefined)
    throw new EngineError(
      'file',
      `${index}: ${JSON.stringify(strange)} is not the name of a file in this folder`,
    );
  const shards = new Map<string, TensorSource>();
  const close = async () => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const name of names) {
      const path = join(directory, name);
      if (!(await exists(path)))
        throw new EngineError('file', `${path} is missing, though ${index} names it`);
      shards.set(name, await openSafetensors(path));
    }
    const tensors = locate(index, weight_map, shards);
    const read = (name: string) => shards.get(weight_map[name]!)!.read(name);
    return { path: index, tensors, metadata: {}, read, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function locate(
  index: string,
  weightMap: Readonly<Record<string, string>>,
  shards: ReadonlyMap<string, TensorSource>,
): Map<string, TensorEntry> {
  const entries = Object.entries(weightMap).map(([name, file]) => {
    const shard = shards.get(file)!;
    const entry = shard.tensors.get(name);
    if (!entry)
      throw new EngineError(
        'file',
        `${shard.path}: tensor "${name}" is missing, though ${index} puts it there`,
      );
    return [name, entry] as const;
  });
  return new Map(entries);
}

/** Whether a file exists. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
