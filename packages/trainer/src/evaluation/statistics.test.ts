import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRng } from '../rng.ts';
import { estimate, pairedDifference, passAtK, pooledEstimate, type Tally } from './statistics.ts';

/** Share of the k-subsets of n samples, c of them correct, that contain a correct one, by counting them. */
function byCounting(n: number, c: number, k: number): number {
  let hit = 0;
  let all = 0;
  for (let bits = 0; bits < 1 << n; bits++) {
    if (bits.toString(2).replaceAll('0', '').length !== k) continue;
    all++;
    if (bits & ((1 << c) - 1)) hit++;
  }
  return hit / all;
}

test('pass@k is the share of k-subsets that contain a correct sample', () => {
  for (let n = 1; n <= 8; n++) {
    for (let c = 0; c <= n; c++) {
      for (let k = 1; k <= n; k++) expect(passAtK(n, c, k)).toBeCloseTo(byCounting(n, c, k), 12);
    }
  }
});

test('pass@1 is the share of correct samples', () => {
  expect(passAtK(8, 3, 1)).toBeCloseTo(3 / 8, 12);
});

test('passAtK refuses k > n and c > n', () => {
  expect(() => passAtK(4, 1, 5)).toThrow(RangeError);
  expect(() => passAtK(4, 5, 1)).toThrow(RangeError);
});

test('an estimate is inside its interval, and a share weights problems by their counts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(4), fc.constant(4)), { minLength: 3, maxLength: 40 }),
      (parts) => {
        const { mean, low, high, n } = estimate(parts);
        expect(n).toBe(parts.length);
        expect(low).toBeLessThanOrEqual(mean + 1e-12);
        expect(high).toBeGreaterThanOrEqual(mean - 1e-12);
      },
    ),
    { numRuns: 30 },
  );
  expect(
    estimate([
      [1, 1],
      [0, 3],
    ]).mean,
  ).toBe(0.25);
});

test('the 95 % interval covers the true share in at least 180 of 200 experiments', () => {
  const rng = createRng('coverage');
  let covered = 0;
  for (let i = 0; i < 200; i++) {
    const { low, high } = estimate(
      Array.from({ length: 100 }, () => [Number(rng.unit() < 0.4), 1] as const),
    );
    covered += Number(low <= 0.4 && 0.4 <= high);
  }
  expect(covered).toBeGreaterThan(180);
});

test('an estimate over nothing is NaN with n = 0', () => {
  expect(estimate([]).mean).toBeNaN();
  expect(estimate([[0, 0]]).n).toBe(0);
});

test('a paired interval shows a difference that the variation between problems hides from separate intervals', () => {
  const rng = createRng('paired');
  const hard = Array.from({ length: 200 }, () => rng.unit());
  const run = (shift: number): Tally[] => hard.map((h) => [Math.min(1, Math.max(0, h + shift)), 1]);
  const a = pooledEstimate([run(0)]);
  const b = pooledEstimate([run(0.03)]);
  expect(a.high).toBeGreaterThan(b.low);
  expect(pairedDifference([run(0.03)], [run(0)]).low).toBeGreaterThan(0);
});
