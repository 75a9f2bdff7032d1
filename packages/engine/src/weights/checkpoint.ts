/**
 * A policy on disk: `config.json` and `model.safetensors` as Hugging Face has them; to resume training bit for bit also
 * `optimizer.safetensors`, and `reference.safetensors` if a reference was frozen.
 */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../errors.ts';
import { huggingFaceConfig, type ModelConfig } from '../model/config.ts';
import { requireParam } from '../tensors.ts';
import { writeAtomically } from './bytes.ts';
import type { FloatType } from './floats.ts';
import { checkTensors, openModel } from './folder.ts';
import { openSafetensors, type PendingTensor, writeTensors } from './safetensors.ts';
import { exists, WEIGHTS_FILE } from './sharded.ts';
import { stepsOf, type TensorSource } from './source.ts';
import {
  fill,
  type NamedArrays,
  type TensorName,
  type TensorSet,
  type WeightStore,
} from './store.ts';

const FILES = {
  config: 'config.json',
  generation: 'generation_config.json',
  weights: WEIGHTS_FILE,
  optimizer: 'optimizer.safetensors',
  reference: 'reference.safetensors',
} as const;
const MOMENTS = ['mean', 'square'] as const;

/** Options of {@link saveEngine}. */
export interface SaveOptions {
  readonly steps: number;
  readonly weightsOnly: boolean;
}

/** The weights file is written last, and all files carry the step, so that a half-overwritten folder is detected. */
export async function saveEngine(
  directory: string,
  config: ModelConfig,
  store: WeightStore,
  { steps, weightsOnly }: SaveOptions,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const at = (name: keyof typeof FILES) => join(directory, FILES[name]);
  const metadata = { steps: String(steps) };
  if (weightsOnly) await rm(at('optimizer'), { force: true });
  else await writeTensors(at('optimizer'), optimizerTensors(store), { metadata });
  if (weightsOnly || !store.hasReference) await rm(at('reference'), { force: true });
  else await writeTensors(at('reference'), pending(store.reference, store.specs), { metadata });
  await writeFolder(directory, config, pending(store.weights, store.specs), { metadata });
}

/** Writes a folder that `transformers` loads: config.json, generation_config.json, model.safetensors. */
export async function writeFolder(
  directory: string,
  config: ModelConfig,
  tensors: readonly PendingTensor[],
  options: { readonly type?: FloatType; readonly metadata?: Record<string, string> } = {},
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const { type = 'F32', metadata } = options;
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const write = (name: 'config' | 'generation', value: unknown) =>
    writeAtomically(join(directory, FILES[name]), json(value));
  await write('config', { ...huggingFaceConfig(config), ...dtypeFields(type) });
  // An existing file came with the model and says more about sampling than the configuration.
  if (!(await exists(join(directory, FILES.generation))))
    await write('generation', generationConfig(config));
  await writeTensors(join(directory, FILES.weights), tensors, {
    type,
    metadata: { format: 'pt', ...metadata },
  });
}

const DTYPES = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;
/** transformers 4 reads `torch_dtype`, 5 `dtype`. */
function dtypeFields(type: FloatType) {
  return { dtype: DTYPES[type], torch_dtype: DTYPES[type] };
}

function generationConfig({ bos_token_id, eos_token_id, pad_token_id }: ModelConfig) {
  return {
    bos_token_id,
    eos_token_id,
    pad_token_id,
  };
}

/**
 * Loads weights and saved state.
 * @returns the step count of the optimizer; 0 if only weights were saved
 */
export async function loadEngine(path: string, store: WeightStore): Promise<number> {
  await using opened = new AsyncDisposableStack();
  const keep = (source: TensorSource) => opened.adopt(source, (s) => s.close());
  const { source } = await openModel(path);
  const weights = keep(source);
  checkTensors(weights, store.specs);
  const companion = async (name: 'optimizer' | 'reference') => {
    const file = join(path, FILES[name]);
    if (!(await exists(file))) return undefined;
    const found = keep(await openSafetensors(file));
    checkStep(found, weights);
    return found;
  };
  const [optimizer, reference] = [await companion('optimizer'), await companion('reference')];
  for (const moment of MOMENTS) if (optimizer) checkTensors(optimizer, store.specs, `${moment}.`);
  if (reference) checkTensors(reference, store.specs);
  const steps = optimizer ? stepsOf(optimizer) : 0;
  await fill(store.weights, weights);
  if (optimizer)
    for (const moment of MOMENTS) await fill(store.training[moment], optimizer, `${moment}.`);
  else store.forgetTraining();
  if (reference) await fill(store.openReference(), reference);
  return steps;
}

function checkStep(found: TensorSource, weights: TensorSource): void {
  const { steps } = weights.metadata;
  if (steps !== undefined && found.metadata.steps !== steps)
    throw new EngineError(
      'file',
      `${found.path} is of step ${found.metadata.steps}, ${weights.path} of step ${steps}: saving was interrupted`,
    );
}

/**
 * Reads configuration and weights at once.
 * @throws EngineError `file` naming the file, and the tensor that is wrong
 */
export async function readModel(
  path: string,
): Promise<{ config: ModelConfig; weights: NamedArrays }> {
  const { config, source } = await openModel(path);
  try {
    const weights: NamedArrays = {};
    for (const name of source.tensors.keys()) weights[name] = await source.read(name);
    return { config, weights };
  } finally {
    await source.close();
  }
}

/** The tensors of a set; each is copied when it is written. */
function pending(set: TensorSet, specs: readonly TensorName[], prefix = ''): PendingTensor[] {
  return specs.map(({ name, shape }) => ({
    name: prefix + name,
    shape,
    read: async () => Float32Array.from(await requireParam(set.byName, name).read()),
  }));
}

function optimizerTensors(store: WeightStore): PendingTensor[] {
  return MOMENTS.flatMap((moment) => pending(store.training[moment], store.specs, `${moment}.`));
}
