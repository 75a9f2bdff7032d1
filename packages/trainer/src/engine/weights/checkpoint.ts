/**
 * A policy on disk: `config.json` and `model.safetensors` as Hugging Face has them; beside them what training
 * needs to go on bit for bit: `optimizer.safetensors`, and `reference.safetensors` where a reference was frozen.
 */

import { access, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { huggingFaceConfig, type ModelConfig, paramSpecs, parseModelConfig } from '../config.ts';
import {
  type NamedTensor,
  readSafetensors,
  type SafetensorsFile,
  writeAtomically,
  writeSafetensors,
} from './safetensors.ts';
import {
  type NamedArrays,
  restore,
  snapshot,
  type TensorName,
  type TensorSet,
  type WeightStore,
} from './store.ts';

const files = {
  config: 'config.json',
  weights: 'model.safetensors',
  optimizer: 'optimizer.safetensors',
  reference: 'reference.safetensors',
} as const;
const moments = ['mean', 'square'] as const;

export interface SaveOptions {
  readonly steps: number;
  readonly weightsOnly: boolean;
}

/** The weights file is written last; all files carry the step, so that a folder half overwritten is noticed. */
export async function saveEngine(
  directory: string,
  config: ModelConfig,
  store: WeightStore,
  { steps, weightsOnly }: SaveOptions,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const at = (name: keyof typeof files) => join(directory, files[name]);
  const metadata = { format: 'pt', steps: String(steps) };
  if (weightsOnly) await rm(at('optimizer'), { force: true });
  else await writeSafetensors(at('optimizer'), await optimizerTensors(store), { metadata });
  if (weightsOnly || !store.hasReference) await rm(at('reference'), { force: true });
  else
    await writeSafetensors(at('reference'), await named(store.reference, store.specs), {
      metadata,
    });
  await writeAtomically(at('config'), `${JSON.stringify(huggingFaceConfig(config), null, 2)}\n`);
  await writeSafetensors(at('weights'), await named(store.weights, store.specs), { metadata });
}

/** @returns the optimizer's step count; 0 where only weights were saved. */
export async function loadEngine(
  directory: string,
  config: ModelConfig,
  store: WeightStore,
): Promise<number> {
  const path = (name: keyof typeof files) => join(directory, files[name]);
  const file = await readSafetensors(path('weights'));
  const weights = checked(file, config, path('weights'));
  const companion = async (name: 'optimizer' | 'reference') => {
    if (!(await exists(path(name)))) return undefined;
    const found = await readSafetensors(path(name));
    const { steps } = file.metadata;
    if (steps !== undefined && found.metadata.steps !== steps)
      throw new Error(
        `${path(name)} is of step ${found.metadata.steps}, ${path('weights')} of step ${steps}: saving was interrupted`,
      );
    return found;
  };
  const optimizer = await companion('optimizer');
  const states = moments.map(
    (moment) => optimizer && checked(optimizer, config, path('optimizer'), `${moment}.`),
  );
  const frozen = await companion('reference');
  const reference = frozen && checked(frozen, config, path('reference'));
  restore(store.weights, weights);
  for (const [i, arrays] of states.entries())
    if (arrays) restore(store.training[moments[i]!], arrays);
  if (!optimizer) store.forgetTraining();
  if (reference) restore(store.openReference(), reference);
  return Number(optimizer?.metadata.steps ?? 0);
}

/** Configuration and weights of a folder. @throws naming the file, and the tensor where one is wrong. */
export async function readModel(
  directory: string,
): Promise<{ config: ModelConfig; weights: NamedArrays }> {
  const config = await readModelConfig(directory);
  const path = join(directory, files.weights);
  return { config, weights: checked(await readSafetensors(path), config, path) };
}

async function readModelConfig(directory: string): Promise<ModelConfig> {
  const path = join(directory, files.config);
  const text = await readFile(path, 'utf8');
  try {
    return parseModelConfig(JSON.parse(text));
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** Every weight's array, its shape checked. */
function checked(
  { tensors }: SafetensorsFile,
  config: ModelConfig,
  path: string,
  prefix = '',
): NamedArrays {
  return Object.fromEntries(
    paramSpecs(config).map(({ name, shape }) => {
      const tensor = tensors[prefix + name];
      if (!tensor) throw new Error(`${path}: tensor "${prefix}${name}" is missing`);
      if (tensor.shape.join() !== shape.join())
        throw new Error(
          `${path}: tensor "${prefix}${name}" has shape [${tensor.shape}], expected [${shape}]`,
        );
      return [name, tensor.data];
    }),
  );
}

async function named(
  set: TensorSet,
  specs: readonly TensorName[],
  prefix = '',
): Promise<Record<string, NamedTensor>> {
  const arrays = await snapshot(set);
  return Object.fromEntries(
    specs.map(({ name, shape }) => [prefix + name, { shape, data: arrays[name]! }]),
  );
}

async function optimizerTensors(store: WeightStore): Promise<Record<string, NamedTensor>> {
  const all = await Promise.all(
    moments.map((moment) => named(store.training[moment], store.specs, `${moment}.`)),
  );
  return Object.assign({}, ...all);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
