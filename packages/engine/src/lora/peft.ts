/**
 * Adapters on disk in PEFT's format: `adapter_config.json` and `adapter_model.safetensors`, and `optimizer.safetensors`
 * to resume training bit for bit. The base model is named, never written.
 */

import { access, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../errors.ts';
import { requireParam } from '../tensors.ts';
import {
  type NamedTensor,
  readSafetensors,
  type Tensors,
  writeAtomically,
  writeSafetensors,
} from '../weights/safetensors.ts';
import { stepsOf } from '../weights/source.ts';
import { type NamedArrays, restore, snapshot, type TensorSet } from '../weights/store.ts';
import type { Adapter } from './adapter.ts';
import { isPattern, type LoraOptions, MOST_RANK } from './options.ts';

const ADAPTER_CONFIG_FILE = 'adapter_config.json';
const WEIGHTS_FILE = 'adapter_model.safetensors';
const OPTIMIZER_FILE = 'optimizer.safetensors';
/** PEFT's prefix of the names of modules. */
const PEFT_PREFIX = 'base_model.model.';
const MOMENTS = ['mean', 'square'] as const;

/** The base model and options of an adapter folder. */
export interface AdapterFolder {
  /** Hub id or folder, as written; empty if unknown. */
  readonly base: string;
  readonly options: LoraOptions;
}

const rank = z.number().int().min(1).max(MOST_RANK);
const pattern = z.string().refine(isPattern, 'no regular expression that JavaScript knows');
/** Keys of LoraConfig that change what an adapter computes in a way that is not supported. */
const UNSUPPORTED = [
  'use_dora',
  'fan_in_fan_out',
  'modules_to_save',
  'exclude_modules',
  'layer_replication',
  'layers_pattern',
  'lora_bias',
  'target_parameters',
  'trainable_token_indices',
  'use_qalora',
  'alora_invocation_tokens',
  'arrow_config',
  'kasa_config',
  'use_bdlora',
  'monteclora_config',
] as const;
const schema = z.looseObject({
  peft_type: z.literal('LORA'),
  base_model_name_or_path: z.string().nullish(),
  r: rank,
  lora_alpha: z.number(),
  target_modules: z.union([pattern, z.array(z.string()).nonempty()]),
  use_rslora: z.boolean().nullish(),
  layers_to_transform: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
  rank_pattern: z.record(pattern, rank).nullish(),
  alpha_pattern: z.record(pattern, z.number()).nullish(),
  bias: z.literal('none').optional(),
});

/** @throws EngineError `file` if a key has a value that is not supported */
function refuse(config: Readonly<Record<string, unknown>>, path: string): void {
  for (const key of UNSUPPORTED) {
    const value = config[key];
    const isEmpty = Array.isArray(value) && value.length === 0;
    if (value !== undefined && value !== null && value !== false && !isEmpty)
      throw new EngineError(
        'file',
        `${path}: ${key} is ${JSON.stringify(value)}, which is not supported`,
      );
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Whether a folder has an `adapter_config.json`. */
export function isAdapterFolder(directory: string): Promise<boolean> {
  return exists(join(directory, ADAPTER_CONFIG_FILE));
}

/**
 * Reads `adapter_config.json`.
 * @throws EngineError `file` naming the file and the key that is not supported
 */
export async function readAdapterConfig(directory: string): Promise<AdapterFolder> {
  const path = join(directory, ADAPTER_CONFIG_FILE);
  const parsed = schema.safeParse(parseJson(await readFile(path, 'utf8'), path));
  if (!parsed.success) throw new EngineError('file', `${path}: ${z.prettifyError(parsed.error)}`);
  const c = parsed.data;
  refuse(c, path);
  const layers = c.layers_to_transform;
  return {
    base: c.base_model_name_or_path ?? '',
    options: {
      rank: c.r,
      alpha: c.lora_alpha,
      targetModules: c.target_modules,
      rslora: c.use_rslora ?? false,
      ...(layers !== undefined && layers !== null && { layers: [layers].flat() }),
      ...(c.rank_pattern && { rankPattern: c.rank_pattern }),
      ...(c.alpha_pattern && { alphaPattern: c.alpha_pattern }),
    },
  };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError('file', `${path}: not JSON`, { cause });
  }
}

export interface SaveAdapterOptions {
  /** The value of `base_model_name_or_path`. */
  readonly base: string;
  readonly steps: number;
  readonly weightsOnly: boolean;
}

/**
 * The weights are written last, and the optimizer file carries the step, so that a half-overwritten folder is detected.
 */
export async function saveAdapter(
  directory: string,
  adapter: Adapter,
  { base, steps, weightsOnly }: SaveAdapterOptions,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const metadata = { format: 'pt', steps: String(steps) };
  const optimizer = join(directory, OPTIMIZER_FILE);
  if (weightsOnly) await rm(optimizer, { force: true });
  else await writeSafetensors(optimizer, await momentsOf(adapter), { metadata });
  const text = `${JSON.stringify(peftConfig(adapter, base), null, 2)}\n`;
  await writeAtomically(join(directory, ADAPTER_CONFIG_FILE), text);
  const tensors = await tensorsOf(adapter, adapter.weights, PEFT_PREFIX);
  await writeSafetensors(join(directory, WEIGHTS_FILE), tensors, { metadata });
}

/** Every key that PEFT 0.21 needs to load it; it fills in the rest. */
function peftConfig({ options, modules }: Adapter, base: string) {
  // PEFT accepts layers only beside a list of modules. Beside a string, the selected modules are written.
  const isBoth = typeof options.targetModules === 'string' && options.layers !== undefined;
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base,
    r: options.rank,
    lora_alpha: options.alpha,
    lora_dropout: 0,
    target_modules: isBoth ? modules.map(({ name }) => name) : options.targetModules,
    use_rslora: options.rslora ?? false,
    use_dora: false,
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    inference_mode: true,
    layers_to_transform: isBoth ? null : (options.layers ?? null),
    rank_pattern: options.rankPattern ?? {},
    alpha_pattern: options.alphaPattern ?? {},
    modules_to_save: null,
  };
}

/**
 * Loads weights, and the optimizer state if it was saved.
 * @returns the step count of the optimizer
 * @throws EngineError `file` naming the file, and a tensor that is wrong or not the adapter's
 */
export async function loadAdapter(directory: string, adapter: Adapter): Promise<number> {
  const path = join(directory, WEIGHTS_FILE);
  const file = await readSafetensors(path);
  checkNames(file.tensors, adapter, path);
  const weights = arraysOf(file.tensors, adapter, path, PEFT_PREFIX);
  const optimizerPath = join(directory, OPTIMIZER_FILE);
  const optimizer = (await exists(optimizerPath))
    ? await readSafetensors(optimizerPath)
    : undefined;
  if (optimizer && optimizer.metadata.steps !== file.metadata.steps)
    throw new EngineError(
      'file',
      `${optimizerPath} is of step ${optimizer.metadata.steps}, ${path} of step ${file.metadata.steps}: saving was interrupted`,
    );
  const steps = optimizer ? stepsOf({ path: optimizerPath, metadata: optimizer.metadata }) : 0;
  const states = MOMENTS.map(
    (moment) => optimizer && arraysOf(optimizer.tensors, adapter, optimizerPath, `${moment}.`),
  );
  restore(adapter.weights, weights);
  adapter.forgetTraining();
  for (const [i, arrays] of states.entries())
    if (arrays) restore(adapter.training[MOMENTS[i]!], arrays);
  adapter.changed();
  return steps;
}

/** A tensor that matches no module would be a part of the adapter that is silently ignored. */
function checkNames(tensors: Tensors, adapter: Adapter, path: string): void {
  const known = new Set(adapter.specs.map(({ name }) => PEFT_PREFIX + name));
  const stranger = Object.keys(tensors).find((name) => !known.has(name));
  if (stranger !== undefined)
    throw new EngineError(
      'file',
      `${path}: tensor "${stranger}" belongs to no linear layer with an adapter here`,
    );
}

function arraysOf(tensors: Tensors, adapter: Adapter, path: string, prefix: string): NamedArrays {
  return Object.fromEntries(
    adapter.specs.map(({ name, shape }) => {
      const tensor = tensors[prefix + name];
      if (!tensor) throw new EngineError('file', `${path}: tensor "${prefix}${name}" is missing`);
      if (tensor.shape.join() !== shape.join())
        throw new EngineError(
          'file',
          `${path}: tensor "${prefix}${name}" has shape [${tensor.shape}], expected [${shape}]`,
        );
      return [name, tensor.data];
    }),
  );
}

async function tensorsOf(
  adapter: Adapter,
  set: TensorSet,
  prefix: string,
): Promise<Record<string, NamedTensor>> {
  const arrays = await snapshot(set);
  return Object.fromEntries(
    adapter.specs.map(({ name, shape }) => [
      prefix + name,
      { shape, data: requireParam(arrays, name) },
    ]),
  );
}

async function momentsOf(adapter: Adapter): Promise<Record<string, NamedTensor>> {
  const all = await Promise.all(
    MOMENTS.map((moment) => tensorsOf(adapter, adapter.training[moment], `${moment}.`)),
  );
  return Object.assign({}, ...all);
}
