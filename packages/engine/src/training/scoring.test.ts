import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scoringBatches } from './scoring.ts';

const limits = 256;

describe('scoring', () => {
  const ids = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 30 });
  const beginning = fc.constantFrom(
    [],
    [1, 2, 3],
    Array.from({ length: 40 }, (_, t) => t % 5),
  );
  const sequence = fc
    .tuple(beginning, ids)
    .map(([start, rest]) => Int32Array.of(...start, ...rest));

  test('scoring covers every token but the first of each sequence, after its own context', () => {
    fc.assert(
      fc.property(fc.array(sequence, { maxLength: 30 }), (sequences) => {
        const results = sequences.map((tokens) => new Float32Array(tokens.length));
        for (const batch of scoringBatches(sequences, limits)) {
          const { tokens, targets, positions } = batch.arrays;
          // A stand-in for the model that tells where a number came from: row token, target, position.
          const logp = Array.from(
            targets!,
            (target, row) => tokens![row]! + 10 * target + 100 * positions![row]!,
          );
          batch.collect(logp, results);
        }
        expect(results.map((result) => [...result])).toEqual(
          sequences.map((tokens) =>
            Array.from(tokens, (token, t) =>
              t === 0 ? 0 : tokens[t - 1]! + 10 * token + 100 * (t - 1),
            ),
          ),
        );
      }),
    );
  });

  test('scoring holds a shared beginning once', () => {
    const start = Array.from({ length: 33 }, (_, t) => t);
    const sequences = [[1, 2], [3], [4, 5, 6]].map((end) => Int32Array.of(...start, ...end));
    const [batch, ...rest] = scoringBatches(sequences, limits);
    expect(rest).toEqual([]);
    expect(batch!.layout).toEqual({ groups: 1, prefix: 32, branches: 4, length: 8 });
  });
});
