import { describe, expect, test } from 'vitest';
import { parseModelConfig } from './config.ts';
import { ropeFrequencies, ropeTables } from './rope.ts';

const base = {
  hidden_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  intermediate_size: 96,
  vocab_size: 100,
  max_position_embeddings: 4096,
};
const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 512 };

describe('rotary frequencies', () => {
  test('rotary frequencies fall from 1 by equal ratios to almost 1 / theta', () => {
    const f = ropeFrequencies(parseModelConfig(base));
    expect(f).toHaveLength(32);
    expect(f[0]).toBe(1);
    const ratio = 10_000 ** (-1 / 32);
    for (let i = 1; i < 32; i++) expect(f[i]! / f[i - 1]!).toBeCloseTo(ratio, 6);
  });

  test('linear scaling divides all frequencies by the factor', () => {
    const plain = ropeFrequencies(parseModelConfig(base));
    const scaling = { rope_type: 'linear', factor: 8 };
    const found = ropeFrequencies(parseModelConfig({ ...base, rope_scaling: scaling }));
    expect(found).toEqual(plain.map((f) => f / 8));
  });

  test.each([
    yarn,
    {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 512,
    },
  ])('$rope_type keeps high frequencies, divides low ones and interpolates between', (scaling) => {
    const plain = ropeFrequencies(parseModelConfig(base));
    const found = ropeFrequencies(parseModelConfig({ ...base, rope_scaling: scaling }));
    const ratios = Array.from(found, (f, i) => plain[i]! / f);
    expect(ratios[0]).toBe(1);
    expect(ratios.at(-1)).toBeCloseTo(scaling.factor, 5);
    for (let i = 1; i < 32; i++) expect(ratios[i]).toBeGreaterThanOrEqual(ratios[i - 1]! - 1e-6);
  });
});

test('yarn multiplies both tables by 0.1 ln(factor) + 1', () => {
  const { cos, sin } = ropeTables(parseModelConfig({ ...base, rope_scaling: yarn }), 2);
  expect(cos[0]).toBeCloseTo(0.1 * Math.log(4) + 1, 6);
  expect(cos[32]! ** 2 + sin[32]! ** 2).toBeCloseTo((0.1 * Math.log(4) + 1) ** 2, 5);
});
