import { describe, expect, test } from 'vitest';
import { contextLength, huggingFaceConfig, paramSpecs, parseModelConfig } from './config.ts';

const base = {
  hidden_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  intermediate_size: 96,
  vocab_size: 100,
};
function shapes(config: object) {
  return Object.fromEntries(
    paramSpecs(parseModelConfig({ ...base, ...config })).map(({ name, shape }) => [
      name.replace('model.layers.0.', ''),
      shape,
    ]),
  );
}

describe('each family has its own tensors', () => {
  test('llama has biases only if its configuration says so', () => {
    expect(Object.keys(shapes({})).filter((name) => name.endsWith('bias'))).toEqual([]);
    const withBias = shapes({ attention_bias: true, mlp_bias: true });
    expect(Object.keys(withBias).filter((name) => name.endsWith('bias'))).toHaveLength(7);
  });

  test('qwen2 has biases of queries, keys and values', () => {
    const found = shapes({ model_type: 'qwen2', num_key_value_heads: 2 });
    expect(found['self_attn.q_proj.bias']).toEqual([64]);
    expect(found['self_attn.k_proj.bias']).toEqual([32]);
    expect(found['self_attn.v_proj.bias']).toEqual([32]);
    expect(found['self_attn.o_proj.bias']).toBeUndefined();
  });

  test('qwen3 has heads of size 128 with norms at any width', () => {
    const found = shapes({ model_type: 'qwen3', num_key_value_heads: 2 });
    expect(found['self_attn.q_proj.weight']).toEqual([512, 64]);
    expect(found['self_attn.o_proj.weight']).toEqual([64, 512]);
    expect(found['self_attn.q_norm.weight']).toEqual([128]);
    expect(found['self_attn.k_norm.weight']).toEqual([128]);
  });
});

describe('a sliding window', () => {
  test('a sliding window limits the context, because up to it attention is full', () => {
    const mistral = { ...base, model_type: 'mistral', num_key_value_heads: 2 };
    expect(contextLength(parseModelConfig({ ...mistral, sliding_window: 4096 }))).toBe(4096);
    expect(contextLength(parseModelConfig({ ...mistral, sliding_window: null }))).toBe(131_072);
  });

  test('the window of qwen counts only if it is enabled and reaches a layer', () => {
    const qwen = { ...base, model_type: 'qwen2', num_key_value_heads: 2, sliding_window: 512 };
    const length = (more: object) => contextLength(parseModelConfig({ ...qwen, ...more }));
    expect(length({ use_sliding_window: false })).toBe(32_768);
    expect(length({ use_sliding_window: true, max_window_layers: 1 })).toBe(32_768);
    expect(length({ use_sliding_window: true, max_window_layers: 0 })).toBe(512);
  });
});

describe('rope scaling', () => {
  const yarn = { factor: 4, original_max_position_embeddings: 512 };

  test('rope scaling reads the same from the keys of transformers 4 and 5', () => {
    const four = { ...base, rope_theta: 1e6, rope_scaling: { type: 'yarn', ...yarn } };
    const five = { ...base, rope_parameters: { rope_type: 'yarn', rope_theta: 1e6, ...yarn } };
    expect(parseModelConfig(five)).toEqual(parseModelConfig(four));
    expect(parseModelConfig(four)).toMatchObject({
      rope_theta: 1e6,
      rope_scaling: { rope_type: 'yarn', factor: 4, beta_fast: 32, truncate: true },
    });
  });

  test('rope_type default means no scaling', () => {
    const config = { ...base, rope_parameters: { rope_type: 'default', rope_theta: 5e5 } };
    expect(parseModelConfig(config).rope_scaling).toBeUndefined();
    expect(parseModelConfig(config).rope_theta).toBe(5e5);
  });
});

test.each([
  { model_type: 'llama' },
  { model_type: 'qwen2', num_key_value_heads: 2, use_sliding_window: true, max_window_layers: 0 },
  { model_type: 'qwen3', num_key_value_heads: 2, eos_token_id: [1, 2], bos_token_id: 3 },
  { model_type: 'mistral', num_key_value_heads: 2, sliding_window: 64 },
  { rope_scaling: { rope_type: 'linear', factor: 2 } },
])('a written configuration reads back the same: %j', (more) => {
  const config = parseModelConfig({ ...base, ...more });
  const text = JSON.stringify(huggingFaceConfig(config));
  expect(parseModelConfig(JSON.parse(text))).toEqual(config);
});

describe('what would compute something else is refused by name', () => {
  test.each([
    [
      { model_type: 'gpt_neox' },
      'model_type "gpt_neox" is not supported; these are: llama, mistral, qwen2, qwen3',
    ],
    [{ hidden_act: 'gelu' }, 'hidden_act "gelu" is not supported, only silu'],
    [{ quantization_config: { bits: 4 } }, 'quantization_config is not supported'],
    [{ rope_scaling: { type: 'dynamic', factor: 2 } }, 'rope_type "dynamic" is not supported'],
    [{ rope_parameters: { rope_type: 'longrope' } }, 'rope_type "longrope" is not supported'],
    [{ rope_scaling: { rope_type: 'new' } }, 'rope_type "new" is unknown'],
    [{ rope_scaling: { rope_type: 'constructor' } }, 'rope_type "constructor" is unknown'],
    [{ rope_scaling: { rope_type: 'llama3', factor: 8 } }, 'low_freq_factor'],
    [{ partial_rotary_factor: 0.5 }, 'partial_rotary_factor 0.5 is not supported'],
    [{ num_key_value_heads: 3 }, 'must be a multiple of num_key_value_heads 3'],
    [{ num_attention_heads: 5 }, 'times an even head size'],
    [{ head_dim: 15 }, 'even head_dim (it is 15)'],
    [{ num_hidden_layers: 1e9 }, 'num_hidden_layers'],
  ])('a configuration with %j is refused by name', (more, words) => {
    expect(() => parseModelConfig({ ...base, ...more })).toThrow(words);
  });
});
