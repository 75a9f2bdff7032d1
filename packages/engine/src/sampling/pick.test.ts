import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Limits, pickLikeliest, pickToken } from './pick.ts';
import { hash32, normals, uniform } from './random.ts';

function softmax(xs: ArrayLike<number>, temperature = 1): Float32Array {
  const powers = Array.from(xs, (x) => Math.exp(x / temperature));
  const total = powers.reduce((sum, x) => sum + x, 0);
  return Float32Array.from(powers, (x) => x / total);
}
// Probabilities: 0.05, 0.40, 0.15, 0.02, 0.40, rounded.
const five = softmax([1, 3, 2, 0, 3]);

/** Tokens drawn for many u, and the logprob reported for each. */
function table(limits: Limits, probabilities = five) {
  const n = 5000;
  const found = new Map<number, { share: number; logprob: number }>();
  for (let i = 0; i < n; i++) {
    const { token, logprob } = pickToken(probabilities, (i + 0.5) / n, limits);
    found.set(token, { share: (found.get(token)?.share ?? 0) + 1 / n, logprob });
  }
  return found;
}
function tokensOf(limits: Limits) {
  return [...table(limits).keys()].sort((a, b) => a - b);
}

/** The limits by their definition, on a sorted vocabulary: ids that stay. */
function sortedIds(p: Float32Array, { topK = 0, topP = 1, minP = 0 }: Limits): number[] {
  const order = [...p.keys()].sort((a, b) => p[b]! - p[a]! || a - b);
  const some = topK > 0 ? order.slice(0, topK) : order;
  const enough = topP * some.reduce((sum, id) => sum + p[id]!, 0);
  let [sum, n] = [0, 0];
  while (n < some.length && (n === 0 || (topP < 1 ? sum < enough : true))) sum += p[some[n++]!]!;
  return some.slice(0, n).filter((id) => p[id]! >= Math.fround(minP * p[order[0]!]!));
}

describe('a token is drawn', () => {
  test('a token is sampled with its probability, which is the reported logprob', () => {
    for (const [token, { share, logprob }] of table({})) {
      expect(share).toBeCloseTo(five[token]!, 3);
      expect(Math.exp(logprob)).toBeCloseTo(five[token]!, 6);
    }
  });

  test('top-k samples from the k most likely tokens, renormalized, and keeps the lower id of a tie', () => {
    const found = table({ topK: 1 });
    expect([...found.keys()]).toEqual([1]);
    expect(found.get(1)!.logprob).toBe(0);
    expect(tokensOf({ topK: 3 })).toEqual([1, 2, 4]);
    expect(Math.exp(table({ topK: 3 }).get(2)!.logprob)).toBeCloseTo(softmax([3, 2, 3])[1]!, 6);
  });

  test('top-p samples from the smallest set with probability p, including the token that reaches it', () => {
    expect(tokensOf({ topP: 0.3 })).toEqual([1]);
    expect(tokensOf({ topP: 0.7 })).toEqual([1, 4]);
    expect(tokensOf({ topP: 0.9 })).toEqual([1, 2, 4]);
    expect(tokensOf({ topP: 1 })).toEqual([0, 1, 2, 3, 4]);
    // Of the three that top-k leaves, two have 0.84 of the mass.
    expect(tokensOf({ topK: 3, topP: 0.8 })).toEqual([1, 4]);
  });

  test('min-p samples from tokens with at least that fraction of the highest probability', () => {
    expect(tokensOf({ minP: 0.3 })).toEqual([1, 2, 4]);
    expect(tokensOf({ minP: 1 })).toEqual([1, 4]);
    expect(tokensOf({ minP: 0.01 })).toEqual([0, 1, 2, 3, 4]);
  });

  test('any limits keep exactly the set that sorting the vocabulary gives', () => {
    // Logits of few values: many equal probabilities, where a cut falls between equals.
    const logits = fc.array(fc.integer({ min: -40, max: 10 }), { minLength: 1, maxLength: 700 });
    const limits = fc.record({
      topK: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 800 })),
      topP: fc.oneof(fc.constant(1), fc.double({ min: 0.01, max: 0.99, noNaN: true })),
      minP: fc.oneof(fc.constant(0), fc.constantFrom(0.001, 0.05, 0.5)),
    });
    const u = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(logits, limits, fc.array(u, { minLength: 5 }), (values, some, us) => {
        const p = softmax(values);
        const ids = sortedIds(p, some);
        const mass = ids.reduce((sum, id) => sum + p[id]!, 0);
        for (const x of us) {
          const { token, logprob } = pickToken(p, x, some);
          expect(ids).toContain(token);
          expect(logprob).toBeCloseTo(Math.log(p[token]! / mass), 6);
        }
      }),
    );
  });

  test('sampling covers the whole range of a large vocabulary', () => {
    const flat = new Float32Array(50_000).fill(1 / 50_000);
    const at = (u: number, limits: Limits = {}) => pickToken(flat, u, limits).token;
    expect([0, 0.25, 0.5, 0.99999].map((u) => at(u))).toEqual([0, 12_500, 25_000, 49_999]);
    expect(at(0.99999, { topK: 100 })).toBe(99);
    expect(at(0.99999, { topP: 0.5 })).toBe(24_999);
  });

  test('a greedy choice takes the most likely token, the lower id of a tie, with logprob 0', () => {
    expect(pickLikeliest(Float32Array.of(1, 3, 2, 3))).toEqual({ token: 1, logprob: 0 });
  });

  test('logits that are not finite are refused', () => {
    const broken = Float32Array.of(0.5, Number.NaN);
    for (const limits of [{}, { topK: 1 }, { topP: 0.5 }, { minP: 0.5 }])
      expect(() => pickToken(broken, 0.5, limits)).toThrow(/not finite/);
    expect(() => pickLikeliest(broken)).toThrow(/not finite/);
  });
});

describe('random numbers by counter', () => {
  test('random numbers are uniform and uncorrelated in every coordinate', () => {
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

  test('random numbers differ for different coordinates and orders', () => {
    const places = [[1, 2], [2, 1], [1, 2, 0], [0, 1, 2], [1], [2 ** 40 + 1, 2]];
    expect(new Set(places.map((place) => hash32(...place))).size).toBe(places.length);
  });

  test('normals have mean 0 and standard deviation 1', () => {
    const xs = [...normals(3, 50_000)];
    const mean = xs.reduce((a, b) => a + b, 0) / xs.length;
    const variance = xs.reduce((a, b) => a + (b - mean) ** 2, 0) / xs.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
  });
});
