import { describe, expect, test } from 'vitest';
import { loraModules } from './lora/options.ts';
import { availableMemory, estimateMemory, type MemoryPlan, memoryAdvice } from './memory.ts';
import { parseModelConfig } from './model/config.ts';

/** SmolLM2-135M. */
const config = parseModelConfig({
  hidden_size: 576,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  intermediate_size: 1536,
  vocab_size: 49_152,
  tie_word_embeddings: true,
});
const weights = 134_515_008 * 4;
const plan: MemoryPlan = {
  config,
  trains: true,
  reference: false,
  microBatchRows: 1024,
  logitsBytes: 2 ** 26,
  recompute: false,
  shapes: 1,
  sequences: 64,
  maxTokens: 64,
  cacheBytes: 2 ** 32,
};
const adapters = loraModules(config, { rank: 16, alpha: 32, targetModules: 'all-linear' });

describe('the memory a run will take', () => {
  test('full training takes weights, gradient and two moments, and a reference takes one more copy', () => {
    const { optimizer, weights: w, reference } = estimateMemory({ ...plan, reference: true });
    expect([w, reference, optimizer]).toEqual([weights, weights, 2 * weights]);
  });

  test('adapters take the model and merged matrices, and no extra reference', () => {
    const found = estimateMemory({ ...plan, adapters, reference: true });
    expect(found.reference).toBe(0);
    expect(found.optimizer).toBeLessThan(weights / 10);
    expect(found.mergedWeights).toBeLessThan(weights);
    expect(found.total).toBeLessThan(estimateMemory(plan).total);
  });

  test('sampling takes no gradient and no activations', () => {
    const { gradients, optimizer, activations } = estimateMemory({ ...plan, trains: false });
    expect([gradients, optimizer, activations]).toEqual([0, 0, 0]);
  });

  test('activations grow with the rows of a micro-batch, and caches up to their limit', () => {
    const more = estimateMemory({ ...plan, microBatchRows: 4096 });
    expect(more.activations / estimateMemory(plan).activations).toBeGreaterThan(3.9);
    const caches = (sequences: number) =>
      estimateMemory({ ...plan, sequences, cacheBytes: 2 ** 28 }).caches;
    expect(caches(64) / caches(8)).toBeGreaterThan(2);
    expect(caches(100_000)).toBe(2 ** 28);
  });

  test('the estimate counts a sequence longer than a micro-batch', () => {
    const short = estimateMemory({ ...plan, microBatchRows: 256, maxTokens: 85 });
    const long = estimateMemory({ ...plan, microBatchRows: 256, maxTokens: 680 });
    expect(long.activations / short.activations).toBeGreaterThan(7.9);
  });

  test('the parts of an estimate add up to its total, and advice lowers it', () => {
    const { total, ...parts } = estimateMemory(plan);
    expect(Object.values(parts).reduce((a, b) => a + b)).toBe(total);
    const large = { ...plan, reference: true };
    const budget = estimateMemory({ ...large, recompute: true }).total;
    const advice = memoryAdvice(large, budget);
    expect(advice[0]).toEqual({ setting: 'engine.recompute=true', total: budget });
    const together = advice.find(({ setting }) => setting.includes(' --set '))!;
    for (const one of advice) expect(together.total).toBeLessThanOrEqual(one.total);
  });

  test('advice that saves under one percent is not given', () => {
    const small = { ...plan, trains: false, microBatchRows: 260, cacheBytes: 2 ** 29 };
    const { total } = estimateMemory(small);
    expect(estimateMemory({ ...small, microBatchRows: 256 }).total).toBeLessThan(total);
    expect(memoryAdvice(small, total / 2)).toEqual([]);
  });

  test('the available memory of this machine is known', () => {
    expect(availableMemory()).toBeGreaterThan(2 ** 20);
  });
});
