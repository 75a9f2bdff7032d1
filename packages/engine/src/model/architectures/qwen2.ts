/** Qwen2 and Qwen2.5: a Llama whose queries, keys and values have biases. */
import type { Architecture } from './types.ts';

export const QWEN2: Architecture = {
  modelType: 'qwen2',
  className: 'Qwen2ForCausalLM',
  ggufName: 'qwen2',
  defaults: { num_key_value_heads: 32, max_position_embeddings: 32_768 },
  slidingWindow: qwenWindow,
  traits: () => ({ qkvBias: true, outputBias: false, mlpBias: false, headNorm: false }),
};

/** Only layers from `max_window_layers` on have the window, and only if it is enabled. */
export function qwenWindow(config: Readonly<Record<string, unknown>>): number | undefined {
  const { use_sliding_window: on, sliding_window: window = 4096 } = config;
  const { max_window_layers: first = 28, num_hidden_layers: layers } = config;
  const reaches = typeof first === 'number' && typeof layers === 'number' && first < layers;
  return on === true && reaches && typeof window === 'number' ? window : undefined;
}
