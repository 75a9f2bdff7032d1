import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { totalRows } from '../model/attention.ts';
import type { Datum } from '../types.ts';
import { type MicroBatch, microBatches } from './batching.ts';

const needs = { policyTerms: false, reference: false };
const limits = 256;

/** A datum whose first `prompt` tokens have no weight. */
const datum = fc
  .record({
    prompt: fc.constantFrom([3], [4, 5, 6], [4, 5, 7], [8, 9, 8, 9, 8, 9, 8, 9, 8, 9]),
    completion: fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.constantFrom(0, 0.5, 1)), {
      maxLength: 40,
    }),
  })
  .map(({ prompt, completion }): Datum => {
    const tokens = Int32Array.of(...prompt, ...completion.map(([token]) => token));
    const weights = Float32Array.of(...prompt.map(() => 0), ...completion.map(([, w]) => w));
    return { tokens, weights };
  });

/** What a micro-batch trains: context, target and weight of each row with weight, read back from its arrays. */
function trainedTokens({ layout, arrays }: MicroBatch): string[] {
  const { groups, prefix: p, branches: g, length: c } = layout;
  const { tokens, targets, weights, positions, prefixMask } = arrays;
  const found: string[] = [];
  for (let i = 0; i < groups; i++) {
    const kept =
      p === 0 ? 0 : prefixMask!.subarray(i * p, (i + 1) * p).filter((m) => m === 0).length;
    const context = [...tokens!.subarray(i * p, i * p + kept)];
    for (let j = 0; j < g; j++)
      for (let t = 0; t < c; t++) {
        const row = (i * g + j) * c + t;
        if (weights![row] === 0) continue;
        const start = groups * p + (i * g + j) * c;
        expect(positions![groups * p + row]).toBe(kept + t);
        const seen = [...context, ...tokens!.subarray(start, start + t + 1)];
        found.push(`${seen} -> ${targets![row]} x ${weights![row]}`);
      }
  }
  return found;
}

describe('micro-batches', () => {
  test('micro-batches train every weighted token once after its own context, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(datum, { maxLength: 30 }), (data) => {
        const expected = data.flatMap(({ tokens, weights }) =>
          [...tokens.keys()]
            .filter((t) => t > 0 && weights[t] !== 0)
            .map((t) => `${[...tokens.subarray(0, t)]} -> ${tokens[t]} x ${weights[t]}`),
        );
        const found = microBatches(data, needs, limits).flatMap(trainedTokens);
        expect(found.sort()).toEqual(expected.sort());
      }),
    );
  });

  test('micro-batches keep the row limit, except for a single long sequence', () => {
    const rows = fc.constantFrom(16, 40, 64, 256);
    fc.assert(
      fc.property(fc.array(datum, { maxLength: 60 }), rows, (data, most) => {
        for (const { layout } of microBatches(data, needs, most))
          if (layout.groups > 1 || layout.branches > 1)
            expect(totalRows(layout)).toBeLessThanOrEqual(most);
      }),
    );
  });

  test('rollouts of a prompt that are too long together are split', () => {
    const rollout = (length: number): Datum => ({
      tokens: Int32Array.from({ length: 200 + length }, (_, t) => 1 + (t < 200 ? t : length)),
      weights: new Float32Array(200 + length).fill(1, 200),
    });
    const lengths = [512, 40, 512, 512, 30, 512, 512, 512];
    const layouts = microBatches(lengths.map(rollout), needs, 2048);
    expect(layouts.map(({ layout: { branches, length } }) => [branches, length])).toEqual([
      [2, 512],
      [2, 512],
      [2, 512],
      [2, 40],
    ]);
  });

  test('micro-batches hold a shared prompt once', () => {
    const one = { tokens: Int32Array.of(4, 5, 6, 7, 8), weights: Float32Array.of(0, 0, 0, 1, 1) };
    const [batch] = microBatches([one, one, one], needs, limits);
    expect(batch!.layout).toEqual({ groups: 1, prefix: 8, branches: 4, length: 8 });
  });

  test('sequences without advantage are separated because their gradient is zero', () => {
    const one = (advantage: number): Datum => ({
      tokens: Int32Array.of(4, 5, 6),
      weights: Float32Array.of(0, 1, 1),
      advantages: Float32Array.of(0, advantage, 0),
      logprobs: new Float32Array(3),
    });
    const policy = { policyTerms: true, reference: false };
    const batches = microBatches([one(1), one(0), one(-1), one(0)], policy, limits);
    expect(batches.map(({ still }) => still)).toEqual([false, true]);
  });

  test('values at positions without weight are never used', () => {
    const wild: Datum = {
      tokens: Int32Array.of(4, 5, 6, 7),
      weights: Float32Array.of(0, 1, 0, 1),
      advantages: Float32Array.of(0, 1, Number.NaN, 1),
      logprobs: Float32Array.of(0, -1, Infinity, -1),
    };
    const [batch] = microBatches([wild], { policyTerms: true, reference: false }, limits);
    expect([...batch!.arrays.advantages!, ...batch!.arrays.old!].every(Number.isFinite)).toBe(true);
  });

  test('the error of an invalid datum names it and its array', () => {
    const short = { tokens: Int32Array.of(1, 2), weights: Float32Array.of(0) };
    expect(() => microBatches([short], needs, limits)).toThrow(
      /datum 0: weights: expected 2 entries as in tokens, got 1/,
    );
    const bare = { tokens: Int32Array.of(1, 2), weights: Float32Array.of(0, 1) };
    const policy = { policyTerms: true, reference: false };
    expect(() => microBatches([bare], policy, limits)).toThrow(
      /datum 0: advantages: expected 2 entries as in tokens, got none/,
    );
  });
});
