/** Llama 2 and 3, SmolLM2, TinyLlama, and other models of type `llama`. */
import type { Architecture } from './types.ts';

export const LLAMA: Architecture = {
  modelType: 'llama',
  className: 'LlamaForCausalLM',
  ggufName: 'llama',
  defaults: {},
  traits: ({ attention_bias, mlp_bias }) => ({
    qkvBias: attention_bias,
    outputBias: attention_bias,
    mlpBias: mlp_bias,
    headNorm: false,
  }),
};
