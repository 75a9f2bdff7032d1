/**
 * Reads a GGUF file as a model: its configuration with the keys of config.json, its tensors under Hugging Face names.
 * llama.cpp rotates neighboring pairs in Llama models and stores the rows of q and k in that order; this is undone.
 */

import { errorMessage } from '@cipo/support';
import { EngineError } from '../../errors.ts';
import { ARCHITECTURES, type Architecture } from '../../model/architectures/index.ts';
import { type ModelConfig, parseModelConfig } from '../../model/config.ts';
import { ropeFrequencies } from '../../model/rope.ts';
import { axisLength, sizeOf } from '../../ops.ts';
import { type Bytes, openBytes } from '../bytes.ts';
import type { TensorEntry, TensorSource } from '../source.ts';
import { numberOf, textOf } from './lookup.ts';
import { quantFormat } from './quants.ts';
import { type GgufHeader, type GgufMetadata, type GgufTensor, readGgufHeader } from './reader.ts';
import { ggufTokenizer, type TokenizerDefinition } from './tokenizer.ts';

export interface GgufModel {
  readonly config: ModelConfig;
  readonly metadata: GgufMetadata;
  readonly source: TensorSource;
}

/** Values decoded at once: the memory beside the result. */
const VALUES_AT_ONCE = 2 ** 20;

/**
 * Opens a GGUF file.
 * @throws EngineError `file` naming the file, and the key or tensor that is wrong
 */
export async function openGguf(path: string): Promise<GgufModel> {
  const bytes = await openBytes(path);
  try {
    const header = await readGgufHeader(bytes);
    const parts = numberOf(header.metadata, 'split.count') ?? 1;
    if (parts > 1)
      throw new EngineError(
        'file',
        `one of ${parts} files, split files are not supported; merge them (llama-gguf-split --merge)`,
      );
    const config = await configOf(bytes, header);
    return { config, metadata: header.metadata, source: sourceOf(bytes, header, config) };
  } catch (error) {
    await bytes.close();
    throw inFile(path, error);
  }
}

/**
 * Reads the tokenizer of a GGUF file.
 * @throws EngineError `file` naming the file and the metadata that is missing or not supported
 */
export async function readGgufTokenizer(path: string): Promise<TokenizerDefinition> {
  const bytes = await openBytes(path);
  try {
    return ggufTokenizer((await readGgufHeader(bytes)).metadata);
  } catch (error) {
    throw inFile(path, error);
  } finally {
    await bytes.close();
  }
}

function inFile(path: string, error: unknown): Error {
  const reason = errorMessage(error);
  return new EngineError('file', reason.startsWith(path) ? reason : `${path}: ${reason}`, {
    cause: error,
  });
}

type Known = Architecture & { readonly ggufName: string };

function architectureOfFile(metadata: GgufMetadata): Known {
  const name = textOf(metadata, 'general.architecture');
  const all = ARCHITECTURES.filter((a): a is Known => a.ggufName !== undefined);
  const found = all.find(({ ggufName }) => ggufName === name);
  if (found) return found;
  const known = all.map(({ ggufName }) => ggufName).join(', ');
  throw new EngineError(
    'file',
    `general.architecture "${name}" is not supported; these are: ${known}`,
  );
}

async function configOf(bytes: Bytes, header: GgufHeader): Promise<ModelConfig> {
  const { metadata, tensors } = header;
  const { ggufName, modelType } = architectureOfFile(metadata);
  const number = (key: string) => numberOf(metadata, `${ggufName}.${key}`);
  const heads = number('attention.head_count');
  const embedding = tensors.get('token_embd.weight');
  if (!embedding) throw new EngineError('file', `tensor "token_embd.weight" is missing`);
  const [width, rotated] = [number('attention.key_length'), number('rope.dimension_count')];
  if (width !== undefined && rotated !== undefined && rotated !== width)
    throw new EngineError(
      'file',
      `metadata "${ggufName}.rope.dimension_count" is ${rotated} of heads of ${width}: rotating a part of a head is not supported`,
    );
  const raw = {
    model_type: modelType,
    hidden_size: number('embedding_length'),
    num_hidden_layers: number('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: number('attention.head_count_kv') ?? heads,
    head_dim: width ?? rotated,
    intermediate_size: number('feed_forward_length'),
    vocab_size: embedding.shape[0],
    max_position_embeddings: number('context_length'),
    rope_theta: number('rope.freq_base'),
    rms_norm_eps: singlePrecision(number('attention.layer_norm_rms_epsilon')),
    tie_word_embeddings: !tensors.has('output.weight'),
    attention_bias: tensors.has('blk.0.attn_output.bias'),
    mlp_bias: tensors.has('blk.0.ffn_gate.bias'),
    rope_scaling: scalingOf(metadata, ggufName),
    bos_token_id: numberOf(metadata, 'tokenizer.ggml.bos_token_id'),
    eos_token_id: numberOf(metadata, 'tokenizer.ggml.eos_token_id'),
    pad_token_id: numberOf(metadata, 'tokenizer.ggml.padding_token_id'),
  };
  const config = parseModelConfig(raw);
  return tensors.has('rope_freqs.weight') ? withFrequencies(bytes, header, config) : config;
}

/** Rounds a float32 to its shortest decimal: 9.999999747378752e-6 is 1e-5. */
function singlePrecision(x: number | undefined) {
  return x === undefined ? undefined : Number(x.toPrecision(7));
}

function scalingOf(metadata: GgufMetadata, prefix: string): object | undefined {
  const type = textOf(metadata, `${prefix}.rope.scaling.type`) ?? 'none';
  const number = (key: string) => numberOf(metadata, `${prefix}.rope.scaling.${key}`);
  if (type === 'none') return undefined;
  const original = number('original_context_length');
  const factor = number('factor') ?? 1;
  const attention = number('attn_factor'); // llama.cpp multiplies YaRN's own factor by it
  const [fast, slow] = [number('yarn_beta_fast'), number('yarn_beta_slow')];
  return {
    rope_type: type,
    factor,
    ...(original !== undefined && { original_max_position_embeddings: original }),
    ...(attention !== undefined && { attention_factor: attention * (1 + 0.1 * Math.log(factor)) }),
    ...(fast !== undefined && { beta_fast: fast }),
    ...(slow !== undefined && { beta_slow: slow }),
  };
}

/**
 * GGUF stores the scaled positions of Llama 3.1 as a tensor of divisors of the frequencies. The largest is the factor;
 * the other numbers are the same for all of Meta's models, which is checked.
 */
async function withFrequencies(bytes: Bytes, header: GgufHeader, config: ModelConfig) {
  const divisors = await readTensor(
    bytes,
    'rope_freqs.weight',
    header.tensors.get('rope_freqs.weight')!,
  );
  const rope_scaling = {
    rope_type: 'llama3' as const,
    factor: divisors.reduce((a, b) => Math.max(a, b), 0),
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const scaled: ModelConfig = { ...config, rope_scaling };
  const [plain, found] = [ropeFrequencies(config), ropeFrequencies(scaled)];
  const wrong = found.findIndex((f, i) => Math.abs((f * divisors[i]!) / plain[i]! - 1) > 1e-4);
  if (divisors.length !== plain.length || wrong >= 0)
    throw new EngineError(
      'file',
      'tensor "rope_freqs.weight" is not of the kind that Llama 3.1 has, and no other is supported',
    );
  return scaled;
}

const NAMES: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
};
const LAYER_NAMES: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

/** The Hugging Face name. An unknown name is kept and later reported as superfluous. */
function huggingFaceName(name: string): string {
  const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
  if (layer !== undefined && LAYER_NAMES[part!])
    return `model.layers.${layer}.${LAYER_NAMES[part!]}.${kind}`;
  const [, whole, end] = /^(\w+)\.(weight)$/.exec(name) ?? [];
  return whole !== undefined && NAMES[whole] ? `${NAMES[whole]}.${end}` : name;
}

function sourceOf(bytes: Bytes, header: GgufHeader, config: ModelConfig): TensorSource {
  const places = new Map<string, readonly [string, GgufTensor]>();
  checkPlaces(bytes, header);
  for (const [name, tensor] of header.tensors) {
    if (name === 'rope_freqs.weight') continue;
    const [known] = places.get(huggingFaceName(name)) ?? [];
    if (known !== undefined)
      throw new EngineError(
        'file',
        `tensors "${known}" and "${name}" are the same weight of the model`,
      );
    places.set(huggingFaceName(name), [name, tensor]);
  }
  const entries = [...places].map(([name, [, { shape }]]): [string, TensorEntry] => [
    name,
    { shape, path: bytes.path },
  ]);
  const read = async (name: string) => {
    const place = places.get(name);
    if (!place) throw new EngineError('file', `${bytes.path}: tensor "${name}" is missing`);
    const data = await readTensor(bytes, ...place);
    return config.model_type === 'llama'
      ? undoPermutation(name, data, place[1].shape, config)
      : data;
  };
  const { path } = bytes;
  return { path, tensors: new Map(entries), metadata: {}, read, close: () => bytes.close() };
}

/** @throws EngineError `file` if two tensors share bytes of the file */
function checkPlaces(bytes: Bytes, { tensors }: GgufHeader): void {
  const order = [...tensors].sort(([, a], [, b]) => a.start - b.start);
  let [before, at] = ['', 0];
  for (const [name, tensor] of order) {
    if (tensor.start < at)
      throw new EngineError(
        'file',
        `tensor "${name}" begins at byte ${tensor.start}, inside "${before}"`,
      );
    [before, at] = [name, placeOf(bytes, name, tensor).end];
  }
}

function placeOf(bytes: Bytes, name: string, { shape, type, start }: GgufTensor) {
  const where = `${bytes.path}: tensor "${name}"`;
  const format = formatOf(where, type);
  const total = sizeOf(shape);
  if ((shape.at(-1) ?? 1) % format.values !== 0)
    throw new EngineError(
      'file',
      `${where} of shape [${shape}] is not a whole number of ${format.name} blocks`,
    );
  return { where, format, total, end: start + (total / format.values) * format.bytes };
}

async function readTensor(bytes: Bytes, name: string, tensor: GgufTensor) {
  const { start } = tensor;
  const { where, format, total, end } = placeOf(bytes, name, tensor);
  if (end > bytes.size)
    throw new EngineError('file', `${where}: truncated, ends at byte ${end} of ${bytes.size}`);
  const out = new Float32Array(total);
  for (let at = 0; at < total; at += VALUES_AT_ONCE) {
    const count = Math.min(VALUES_AT_ONCE, total - at) / format.values;
    const from = start + (at / format.values) * format.bytes;
    out.set(format.decode(await bytes.read(from, count * format.bytes)), at);
  }
  return out;
}

function formatOf(where: string, type: number) {
  try {
    return quantFormat(type);
  } catch (error) {
    throw new EngineError('file', `${where} ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** Moves row 2i + h of a head (h = 0 or 1) to row h d/2 + i. Other tensors are unchanged. */
function undoPermutation(
  name: string,
  data: Float32Array,
  shape: readonly number[],
  config: ModelConfig,
) {
  if (!/self_attn\.[qk]_proj\.(weight|bias)$/.test(name)) return data;
  const rows = axisLength({ shape }, 0);
  const width = data.length / rows;
  const { head_dim } = config;
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const within = row % head_dim;
    const to = row - within + (within % 2) * (head_dim / 2) + Math.floor(within / 2);
    out.set(data.subarray(row * width, (row + 1) * width), to * width);
  }
  return out;
}
