/**
 * The configuration of a model, with the keys of Hugging Face's config.json, and the tensors of the model. Differences
 * between families (llama, qwen2, ...) are in architectures/.
 */

import { z } from 'zod';
import { EngineError } from '../errors.ts';
import type { Shape } from '../ops.ts';
import { architectureOf, type Traits } from './architectures/index.ts';
import { ropeFields, ropeScaling, withoutNulls } from './rope-scaling.ts';

/** Bounds far above any model, so that a hostile file cannot request endless work. */
function upTo(most: number) {
  return z.number().int().positive().max(most);
}
const tokenId = z.number().int().nonnegative();

const schema = z.object({
  model_type: z.string().default('llama'),
  hidden_size: upTo(2 ** 17),
  num_hidden_layers: upTo(1024),
  num_attention_heads: upTo(4096),
  /** Absent: as many as attention heads. */
  num_key_value_heads: upTo(4096).optional(),
  /** Size of a head. Absent: hidden_size / num_attention_heads. */
  head_dim: upTo(4096).optional(),
  intermediate_size: upTo(2 ** 19),
  vocab_size: upTo(2 ** 22),
  max_position_embeddings: upTo(2 ** 24).default(2048),
  rope_theta: z.number().positive().default(10_000),
  rope_scaling: ropeScaling.optional(),
  /** Sliding window in tokens; absent: none. See {@link contextLength}. */
  sliding_window: upTo(2 ** 24).optional(),
  /** Qwen's two conditions of the window, kept for saving. */
  use_sliding_window: z.boolean().optional(),
  max_window_layers: z.number().int().nonnegative().optional(),
  rms_norm_eps: z.number().positive().default(1e-6),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(false),
  /** Standard deviation of initial weights; narrow models learn faster with a larger one. */
  initializer_range: z.number().positive().default(0.02),
  bos_token_id: tokenId.optional(),
  pad_token_id: tokenId.optional(),
  /** The token or tokens that end a completion; absent: only the maximum length does. */
  eos_token_id: z.union([tokenId, z.array(tokenId).nonempty()]).optional(),
});

/** A model configuration as written: keys with defaults are optional. */
export type ModelConfigInput = z.input<typeof schema>;

/** A complete model configuration, with the keys of Hugging Face's config.json. */
export interface ModelConfig extends z.output<typeof schema> {
  readonly num_key_value_heads: number;
  readonly head_dim: number;
}

/**
 * Checks a model configuration and fills in the defaults of its family. Ignores unknown keys, except those that would
 * change what the model computes.
 * @throws EngineError `config` naming the key, the value and what is allowed
 */
export function parseModelConfig(input: unknown): ModelConfig {
  const given = z.record(z.string(), z.unknown()).safeParse(input);
  if (!given.success)
    throw new EngineError('config', `model config: ${z.prettifyError(given.error)}`);
  const raw = withoutNulls(given.data);
  refuse(raw);
  const { defaults, slidingWindow } = architectureOf(String(raw.model_type ?? 'llama'));
  const {
    rope_scaling: _,
    sliding_window: __,
    use_sliding_window,
    max_window_layers,
    ...rest
  } = raw;
  const window = slidingWindow?.(raw);
  const result = schema.safeParse({
    ...defaults,
    ...rest,
    ...ropeFields({ ...defaults, ...raw }),
    ...(window !== undefined && {
      sliding_window: window,
      ...withoutNulls({ use_sliding_window, max_window_layers }),
    }),
  });
  if (!result.success)
    throw new EngineError('config', `model config: ${z.prettifyError(result.error)}`);
  return withHeads(result.data);
}

/** Refuses keys that are not supported: the model would load and compute nonsense. */
function refuse(raw: Readonly<Record<string, unknown>>): void {
  const act = raw.hidden_act ?? 'silu';
  if (act !== 'silu' && act !== 'swish')
    throw new EngineError(
      'config',
      `model config: hidden_act ${JSON.stringify(act)} is not supported, only silu`,
    );
  if (raw.quantization_config !== undefined)
    throw new EngineError(
      'config',
      'model config: quantization_config is not supported; load the model in f32, f16 or bf16, or as GGUF',
    );
  if ((raw.partial_rotary_factor ?? 1) !== 1)
    throw new EngineError(
      'config',
      `model config: partial_rotary_factor ${raw.partial_rotary_factor} is not supported, only 1`,
    );
}

function withHeads(config: z.output<typeof schema>): ModelConfig {
  const { hidden_size, num_attention_heads: heads } = config;
  const { num_key_value_heads = heads, head_dim = hidden_size / heads } = config;
  if (!Number.isInteger(head_dim / 2))
    throw new EngineError(
      'config',
      `model config: hidden_size ${hidden_size} must be num_attention_heads ${heads} times an even head size; or give an even head_dim (it is ${head_dim})`,
    );
  if (heads % num_key_value_heads !== 0)
    throw new EngineError(
      'config',
      `model config: num_attention_heads ${heads} must be a multiple of num_key_value_heads ${num_key_value_heads}`,
    );
  return { ...config, num_key_value_heads, head_dim };
}

/** The configuration as `transformers` reads it. */
export function huggingFaceConfig(config: ModelConfig): Record<string, unknown> {
  const { className } = architectureOf(config.model_type);
  return {
    architectures: [className],
    hidden_act: 'silu',
    dtype: 'float32',
    torch_dtype: 'float32',
    ...config,
    sliding_window: config.sliding_window ?? null,
  };
}

/** The token ids that end a completion. */
export function endIds({ eos_token_id: id = [] }: ModelConfig): readonly number[] {
  return typeof id === 'number' ? [id] : id;
}

/** Size of an attention head. */
export function headSize(config: ModelConfig): number {
  return config.head_dim;
}

/** Where the layers of a model have biases and extra norms. */
export function traitsOf(config: ModelConfig): Traits {
  return architectureOf(config.model_type).traits(config);
}

/**
 * Maximum tokens of a sequence. Sliding attention equals full attention up to its window; longer sequences are not
 * supported.
 */
export function contextLength({ max_position_embeddings: most, sliding_window }: ModelConfig) {
  return Math.min(most, sliding_window ?? most);
}

/** Initial values of a tensor: ones, zeros, or normal with this standard deviation. */
type Init = 'ones' | 'zeros' | { readonly std: number };

/** Name, shape and initial values of a tensor of the model. */
export interface ParamSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly init: Init;
}

/** Every tensor of the model with its Hugging Face name and shape ([out, in]), in a fixed order. */
export function paramSpecs(config: ModelConfig): ParamSpec[] {
  const { hidden_size: d, vocab_size: v, num_hidden_layers: layers } = config;
  const std = config.initializer_range;
  const matrix = (name: string, ...shape: number[]) => ({ name, shape, init: { std } });
  return [
    matrix('model.embed_tokens.weight', v, d),
    ...Array.from({ length: layers }, (_, i) => layerSpecs(config, i)).flat(),
    norm('model.norm', d),
    ...(config.tie_word_embeddings ? [] : [matrix('lm_head.weight', v, d)]),
  ];
}

function norm(name: string, size: number): ParamSpec {
  return {
    name: `${name}.weight`,
    shape: [size],
    init: 'ones',
  };
}

/** The two matrices that write to the residual stream start smaller, as in GPT-2. */
function layerSpecs(config: ModelConfig, layer: number): ParamSpec[] {
  const { hidden_size: d, intermediate_size: f, head_dim, initializer_range: std } = config;
  const [q, kv] = [config.num_attention_heads * head_dim, config.num_key_value_heads * head_dim];
  const { qkvBias, outputBias, mlpBias, headNorm } = traitsOf(config);
  const at = `model.layers.${layer}`;
  const residual = std / Math.sqrt(2 * config.num_hidden_layers);
  const linear = (name: string, rows: number, columns: number, bias: boolean, init = std) => [
    { name: `${at}.${name}.weight`, shape: [rows, columns], init: { std: init } },
    ...(bias ? [{ name: `${at}.${name}.bias`, shape: [rows], init: 'zeros' as const }] : []),
  ];
  const headNorms = ['q_norm', 'k_norm'].map((name) => norm(`${at}.self_attn.${name}`, head_dim));
  return [
    norm(`${at}.input_layernorm`, d),
    ...linear('self_attn.q_proj', q, d, qkvBias),
    ...linear('self_attn.k_proj', kv, d, qkvBias),
    ...linear('self_attn.v_proj', kv, d, qkvBias),
    ...linear('self_attn.o_proj', d, q, outputBias, residual),
    ...(headNorm ? headNorms : []),
    norm(`${at}.post_attention_layernorm`, d),
    ...linear('mlp.gate_proj', f, d, mlpBias),
    ...linear('mlp.up_proj', f, d, mlpBias),
    ...linear('mlp.down_proj', d, f, mlpBias, residual),
  ];
}
