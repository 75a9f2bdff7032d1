/**
 * Qwen3 (dense): an explicit head size, queries and keys normalized per head, biases only if the configuration says so.
 */
import { qwenWindow } from './qwen2.ts';
import type { Architecture } from './types.ts';

export const QWEN3: Architecture = {
  modelType: 'qwen3',
  className: 'Qwen3ForCausalLM',
  ggufName: 'qwen3',
  defaults: { num_key_value_heads: 32, head_dim: 128, max_position_embeddings: 32_768 },
  slidingWindow: qwenWindow,
  traits: ({ attention_bias }) => ({
    qkvBias: attention_bias,
    outputBias: attention_bias,
    mlpBias: false,
    headNorm: true,
  }),
};
