import { expect, test, vi } from 'vitest';
import { cacheNames, type ReadShape } from '../model/cached.ts';
import { parseModelConfig } from '../model/config.ts';
import { integers } from '../testing/data.ts';
import type { Arrays, BatchCache } from './cache.ts';
import type { CachedModel } from './model.ts';
import { hash32 } from './random.ts';
import { isActive, type Rollout } from './rollouts.ts';
import type { Sources } from './running-batch.ts';
import { sampleRollouts } from './sampler.ts';

const config = parseModelConfig({
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  num_key_value_heads: 1,
  intermediate_size: 8,
  vocab_size: 40,
  max_position_embeddings: 2048,
});
const width = 8;
const tokenBytes = 2 * width * Float32Array.BYTES_PER_ELEMENT;

/** What the sampler uses of a model: one that finds every token as likely as any other. */
const blank = {
  config,
  endIds: [1],
  positions: 2048,
  tokenBytes,
  readKind: 'probabilities',
  writtenKind: 'probabilities',
  read: async ({ prompts, length, isLast }: ReadShape) => ({
    ...filled(cacheNames('prompt', config), prompts * length * width),
    ...(isLast && { next: even(prompts) }),
  }),
  write: async ({ shape: { units, branches } }: BatchCache) => ({
    ...filled(cacheNames('new', config), units * branches * width),
    next: even(units * branches),
  }),
};
function filled(names: readonly string[], size: number): Arrays {
  return Object.fromEntries(names.map((name) => [name, new Float32Array(size)]));
}
function even(rows: number) {
  return new Float32Array(rows * 40).fill(1 / 40);
}

/** Where each rollout is, and the most bytes of caches that stood at once. */
const seen = vi.hoisted(() => ({ where: new Map<Rollout, BatchCache>(), most: 0 }));

vi.mock(import('./running-batch.ts'), async (original) => {
  const actual = await original();
  const arraysOf = ({ parts }: BatchCache) => [parts.prompt, parts.own];
  /** With what is there and what was read: all of it stands while the new cache is filled. */
  const note = (cache: BatchCache, sources: Sources = new Map()) => {
    const caches = seen.where.entries().flatMap(([r, c]) => (isActive(r) ? arraysOf(c) : []));
    const read = sources.values().map(({ prompt }) => prompt.from.arrays);
    const arrays = [...caches, ...read, ...arraysOf(cache)].flatMap((some) => Object.values(some));
    seen.most = Math.max(
      seen.most,
      new Set(arrays).values().reduce((n, { byteLength }) => n + byteLength, 0),
    );
  };
  const settle = <C extends ReturnType<typeof actual.assemble>>(batch: C): C => {
    for (const rollout of batch.slots) if (rollout) seen.where.set(rollout, batch.cache);
    return batch;
  };
  return {
    ...actual,
    assemble: (model, plan, sources) => {
      const made = actual.assemble(model, plan, sources);
      note(made.cache, sources);
      return settle(made);
    },
    joinInPlace: (batch, arrivals, sources) => {
      note(batch.cache, sources);
      const joined = actual.joinInPlace(batch, arrivals, sources);
      return joined && settle(joined);
    },
    withCapacity: (batch) => {
      const grow = actual.withCapacity(batch);
      note(grow.cache);
      return settle(grow);
    },
  };
});

test('caches stay within their budget for any prompts, groups and lengths, and no rollout is lost', async () => {
  let accepted = 0;
  let largest = 0;
  for (let call = 0; call < 120; call++) {
    const pick = (what: number, choices: readonly number[]) =>
      choices[hash32(call, what) % choices.length]!;
    const maxTokens = pick(0, [1, 20, 90, 300]);
    const groupSize = pick(1, [1, 2, 3, 5, 9, 17]);
    const longest = pick(2, [8, 100, 400, 600]);
    const cacheBytes = tokenBytes * pick(3, [1000, 4000, 16_000, 60_000]);
    const prompts = Array.from({ length: pick(4, [1, 7, 30]) }, (_, b) =>
      integers(call, pick(5, [0, 1]) ? longest : 1 + (hash32(call, b, 6) % longest), 2, 40),
    );
    seen.where.clear();
    seen.most = 0;
    const model = { ...blank, maxSequences: pick(7, [6, 64, 512]), cacheBytes };
    const options = { groupSize, maxTokens, temperature: 1, seed: call };
    try {
      const samples = await sampleRollouts(model as unknown as CachedModel, prompts, options);
      accepted++;
      for (const { tokens, stop } of samples.flat())
        expect(tokens.length === maxTokens || (stop === 'end' && tokens.length > 0)).toBe(true);
    } catch (error) {
      expect(String(error)).toMatch(/one rollout of \d+ \+ \d+ tokens needs/);
      expect(seen.most).toBe(0);
    }
    largest = Math.max(largest, seen.most / cacheBytes);
  }
  expect(accepted).toBeGreaterThan(60);
  // The budget is used, too.
  expect(largest).toBeGreaterThan(0.8);
  expect(largest).toBeLessThanOrEqual(1);
});
