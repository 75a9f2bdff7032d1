/** pass@k and bootstrap intervals: what every reported number stands on. */
import type { Estimate } from '../events.ts';
import { stream } from '../rng.ts';

/**
 * Unbiased pass@k (Chen et al. 2021): 1 - C(n-c, k) / C(n, k), as 1 - prod_{i=n-c+1..n} (1 - k/i); 1 if n - c < k.
 * @param n samples of a problem
 * @param c how many passed
 * @throws {RangeError} if k > n or c > n
 */
export function passAtK(n: number, c: number, k: number): number {
  if (k > n || c > n || k < 1) throw new RangeError(`pass@${k} of ${c} in ${n}`);
  if (n - c < k) return 1;
  let none = 1;
  for (let i = n - c + 1; i <= n; i++) none *= 1 - k / i;
  return 1 - none;
}

/** Numerator and denominator that one problem adds to a share. */
export type Part = readonly [hits: number, of: number];

const RESAMPLES = 1000;

function ratio(parts: readonly Part[], pick: (i: number) => number): number {
  let hits = 0;
  let of = 0;
  for (let i = 0; i < parts.length; i++) {
    const [h, n] = parts[pick(i)]!;
    hits += h;
    of += n;
  }
  return of === 0 ? Number.NaN : hits / of;
}

/** Share sum(hits) / sum(of) with its 95 % percentile bootstrap over problems. NaN where nothing was counted. */
export function estimate(parts: readonly Part[]): Estimate {
  const counted = parts.filter(([, of]) => of > 0);
  const n = counted.length;
  if (n === 0) return { mean: Number.NaN, low: Number.NaN, high: Number.NaN, n };
  const rng = stream('bootstrap', n);
  const means = Float64Array.from({ length: RESAMPLES }, () =>
    ratio(counted, () => rng.int(0, n - 1)),
  ).sort();
  const at = (q: number) => means[Math.min(RESAMPLES - 1, Math.floor(q * RESAMPLES))]!;
  return { mean: ratio(counted, (i) => i), low: at(0.025), high: at(0.975), n };
}
