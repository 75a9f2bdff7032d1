/** Mistral: a Llama without biases; early versions have a sliding window in every layer. Its GGUF files say `llama`. */
import type { Architecture } from './types.ts';

export const MISTRAL: Architecture = {
  modelType: 'mistral',
  className: 'MistralForCausalLM',
  defaults: { num_key_value_heads: 8, max_position_embeddings: 131_072 },
  slidingWindow: ({ sliding_window: window }) =>
    typeof window === 'number' && window > 0 ? window : undefined,
  traits: () => ({ qkvBias: false, outputBias: false, mlpBias: false, headNorm: false }),
};
