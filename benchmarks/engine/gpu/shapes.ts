/** What gpu.ts measures: sizes on a card, and sizes that a driver in software gets through. */
import {
  type ModelConfig,
  type ModelConfigInput,
  parseModelConfig,
} from '../../../packages/engine/src/model/config.ts';
import { smolWritten } from '../common.ts';

export interface GpuModel {
  readonly name: string;
  readonly config: ModelConfig;
  /** As transformers reads it. */
  readonly written: ModelConfigInput & { readonly model_type: string };
}

export interface Plan {
  /** Sides of square products. */
  readonly sides: readonly number[];
  /** Operations in a chain, short and long: their difference is what one more costs. */
  readonly chain: readonly [number, number];
  readonly models: readonly GpuModel[];
  readonly training: { readonly sequences: number; readonly length: number };
  /** Lanes, and tokens read and written by each. */
  readonly rollouts: readonly {
    readonly sequences: number;
    readonly prompt: number;
    readonly write: number;
  }[];
}

function model(name: string, written: GpuModel['written']): GpuModel {
  return { name, written, config: parseModelConfig(written) };
}

const small = model('135 M', smolWritten);

/** Qwen2.5-0.5B's shape. */
const half = model('0.5 B', {
  model_type: 'qwen2',
  hidden_size: 896,
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  intermediate_size: 4864,
  vocab_size: 151_936,
  max_position_embeddings: 2048,
  rope_theta: 1_000_000,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
  eos_token_id: 151_643,
});

const toys = [
  model('toy llama', {
    ...smolWritten,
    hidden_size: 48,
    num_hidden_layers: 2,
    num_attention_heads: 3,
    num_key_value_heads: 1,
    intermediate_size: 96,
    vocab_size: 200,
    max_position_embeddings: 128,
  }),
  model('toy qwen2', {
    ...half.written,
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 128,
    vocab_size: 300,
    max_position_embeddings: 128,
    eos_token_id: 2,
  }),
];

export const card: Plan = {
  sides: [256, 512, 1024, 2048, 4096, 8192],
  chain: [200, 1200],
  models: [small, half],
  training: { sequences: 8, length: 512 },
  rollouts: [
    { sequences: 1, prompt: 128, write: 64 },
    { sequences: 64, prompt: 128, write: 128 },
  ],
};

export const toy: Plan = {
  sides: [64, 128, 256],
  chain: [20, 120],
  models: toys,
  training: { sequences: 2, length: 32 },
  rollouts: [{ sequences: 4, prompt: 16, write: 8 }],
};
