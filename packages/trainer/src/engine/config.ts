/**
 * The architecture of a policy, in the words of Hugging Face's LlamaConfig, and the tensors it has.
 * Left out until a model needs them: rope scaling, biases, a head size other than hidden_size / heads.
 */

import { z } from 'zod';
import type { Shape } from './ops.ts';

const positive = z.number().int().positive();
const tokenId = z.number().int().nonnegative();

const schema = z.object({
  hidden_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  /** Absent: as many as attention heads. */
  num_key_value_heads: positive.optional(),
  intermediate_size: positive,
  vocab_size: positive,
  max_position_embeddings: positive.default(2048),
  rope_theta: z.number().positive().default(10_000),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  /** Deviation of initial weights; narrow models learn faster from a wider one. */
  initializer_range: z.number().positive().default(0.02),
  /** The token, or tokens, that end a completion. */
  eos_token_id: z.union([tokenId, z.array(tokenId).nonempty()]),
});

/** What a user writes: defaults of LlamaConfig may be left out. */
export type ModelConfigInput = z.input<typeof schema>;
export interface ModelConfig extends z.output<typeof schema> {
  readonly num_key_value_heads: number;
}

/**
 * Checks a configuration and fills in LlamaConfig's defaults; keys it does not know are ignored.
 * @throws naming the key, the value received and what is allowed.
 */
export function parseModelConfig(input: unknown): ModelConfig {
  const result = schema.safeParse(input);
  if (!result.success) throw new Error(`model config: ${z.prettifyError(result.error)}`);
  const num_key_value_heads = result.data.num_key_value_heads ?? result.data.num_attention_heads;
  const config = { ...result.data, num_key_value_heads };
  const { hidden_size, num_attention_heads } = config;
  if (hidden_size % (2 * num_attention_heads) !== 0)
    throw new Error(
      `model config: hidden_size ${hidden_size} must be num_attention_heads ${num_attention_heads} times an even head size`,
    );
  if (num_attention_heads % num_key_value_heads !== 0)
    throw new Error(
      `model config: num_attention_heads ${num_attention_heads} must be a multiple of num_key_value_heads ${num_key_value_heads}`,
    );
  return config;
}

export const endIds = ({ eos_token_id: id }: ModelConfig): readonly number[] =>
  typeof id === 'number' ? [id] : id;

export const headSize = (config: ModelConfig): number =>
  config.hidden_size / config.num_attention_heads;

/** How a tensor starts: ones, or normal numbers of this deviation. */
export type Init = 'ones' | { readonly std: number };

export interface ParamSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly init: Init;
}

/** Every tensor of the model with Hugging Face's name and shape ([out, in]), in a fixed order. */
export function paramSpecs(config: ModelConfig): ParamSpec[] {
  const { hidden_size: d, vocab_size: v, num_hidden_layers: layers } = config;
  const std = config.initializer_range;
  const matrix = (name: string, ...shape: number[]) => ({ name, shape, init: { std } });
  const norm = (name: string): ParamSpec => ({ name, shape: [d], init: 'ones' });
  return [
    matrix('model.embed_tokens.weight', v, d),
    ...Array.from({ length: layers }, (_, i) => layerSpecs(config, i)).flat(),
    norm('model.norm.weight'),
    ...(config.tie_word_embeddings ? [] : [matrix('lm_head.weight', v, d)]),
  ];
}

/** The two matrices that write to the residual stream start smaller, as in GPT-2. */
function layerSpecs(config: ModelConfig, layer: number): ParamSpec[] {
  const { hidden_size: d, intermediate_size: f, num_hidden_layers: layers } = config;
  const kv = config.num_key_value_heads * headSize(config);
  const at = `model.layers.${layer}`;
  const initial = config.initializer_range;
  const matrix = (name: string, rows: number, columns: number, std = initial): ParamSpec => ({
    name: `${at}.${name}.weight`,
    shape: [rows, columns],
    init: { std },
  });
  const residualStd = initial / Math.sqrt(2 * layers);
  return [
    { name: `${at}.input_layernorm.weight`, shape: [d], init: 'ones' },
    matrix('self_attn.q_proj', d, d),
    matrix('self_attn.k_proj', kv, d),
    matrix('self_attn.v_proj', kv, d),
    matrix('self_attn.o_proj', d, d, residualStd),
    { name: `${at}.post_attention_layernorm.weight`, shape: [d], init: 'ones' },
    matrix('mlp.gate_proj', f, d),
    matrix('mlp.up_proj', f, d),
    matrix('mlp.down_proj', d, f, residualStd),
  ];
}
