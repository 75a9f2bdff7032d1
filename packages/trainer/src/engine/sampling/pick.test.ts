import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PickOptions, pickToken } from './pick.ts';
import { hash32, normals, uniform } from './random.ts';

const logits = Float32Array.of(1, 3, 2, 0, 3);
const softmax = (xs: readonly number[]) => {
  const total = xs.reduce((sum, x) => sum + Math.exp(x), 0);
  return xs.map((x) => Math.exp(x) / total);
};

/** Tokens drawn for many u, and the logprob reported for each. */
function table(options: PickOptions): Map<number, { share: number; logprob: number }> {
  const n = 10_000;
  const found = new Map<number, { share: number; logprob: number }>();
  for (let i = 0; i < n; i++) {
    const { token, logprob } = pickToken(logits, (i + 0.5) / n, options);
    found.set(token, { share: (found.get(token)?.share ?? 0) + 1 / n, logprob });
  }
  return found;
}

describe('a token is drawn', () => {
  it.each([1, 0.5, 2])('as often as its probability says, temperature %d', (temperature) => {
    const expected = softmax([...logits].map((x) => x / temperature));
    for (const [token, { share, logprob }] of table({ temperature })) {
      expect(share).toBeCloseTo(expected[token]!, 3);
      expect(Math.exp(logprob)).toBeCloseTo(expected[token]!, 6);
    }
  });

  it('from the k likeliest, their probabilities renormalised; of a tie the lower id stays', () => {
    const found = table({ temperature: 1, topK: 1 });
    expect([...found.keys()]).toEqual([1]);
    expect(found.get(1)!.logprob).toBe(0);
    const three = table({ temperature: 1, topK: 3 });
    expect([...three.keys()].sort()).toEqual([1, 2, 4]);
    expect(Math.exp(three.get(2)!.logprob)).toBeCloseTo(softmax([3, 2, 3])[1]!, 6);
  });

  it('from the smallest set with a mass of p, the token that reaches it included', () => {
    // Probabilities: 0.40, 0.40, 0.15, 0.05, 0.02.
    const keys = (topP: number) => [...table({ temperature: 1, topP }).keys()].sort();
    expect(keys(0.3)).toEqual([1]);
    expect(keys(0.7)).toEqual([1, 4]);
    expect(keys(0.9)).toEqual([1, 2, 4]);
    expect(keys(1)).toEqual([0, 1, 2, 3, 4]);
  });

  it('the likeliest at temperature 0', () => {
    expect(table({ temperature: 0 })).toEqual(
      new Map([[1, { share: expect.closeTo(1), logprob: 0 }]]),
    );
  });

  it('the same whatever is added to all logits, up to rounding', () => {
    const u = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(u, fc.constantFrom(-64, 64, 1024), (x, shift) => {
        const moved = logits.map((value) => value + shift);
        expect(pickToken(moved, x, { temperature: 1 })).toEqual(
          pickToken(logits, x, { temperature: 1 }),
        );
      }),
    );
  });

  it('but not from logits that are no numbers', () => {
    const broken = Float32Array.of(1, Number.NaN);
    expect(() => pickToken(broken, 0.5, { temperature: 1 })).toThrow(/not finite/);
  });
});

describe('random numbers by counter', () => {
  it('are uniform and uncorrelated in every place', () => {
    for (const axis of [0, 1, 2, 3]) {
      const draws = Array.from({ length: 20_000 }, (_, i) =>
        uniform(...[7, 1, 2, 3].with(axis, i)),
      );
      const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;
      expect(mean(draws)).toBeCloseTo(0.5, 1.9);
      expect(mean(draws.map((x) => (x - 0.5) ** 2))).toBeCloseTo(1 / 12, 2);
      const pairs = draws.slice(1).map((x, i) => (x - 0.5) * (draws[i]! - 0.5));
      expect(Math.abs(mean(pairs))).toBeLessThan(0.003);
    }
  });

  it('differ where the places differ, in order too', () => {
    const places = [[1, 2], [2, 1], [1, 2, 0], [0, 1, 2], [1], [2 ** 40 + 1, 2]];
    expect(new Set(places.map((place) => hash32(...place))).size).toBe(places.length);
  });

  it('normals have mean 0 and deviation 1', () => {
    const xs = [...normals(3, 50_000)];
    const mean = xs.reduce((a, b) => a + b, 0) / xs.length;
    const variance = xs.reduce((a, b) => a + (b - mean) ** 2, 0) / xs.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
  });
});
