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

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** A statistic of n problems with its 95 % percentile bootstrap: problems are drawn anew, 1,000 times. */
function bootstrap(n: number, statistic: (pick: (i: number) => number) => number): Estimate {
  if (n === 0) return { mean: Number.NaN, low: Number.NaN, high: Number.NaN, n };
  const rng = stream('bootstrap', n);
  const values = Float64Array.from({ length: RESAMPLES }, () => {
    const drawn = Int32Array.from({ length: n }, () => rng.int(0, n - 1));
    return statistic((i) => drawn[i]!);
  }).sort();
  // A resample can miss every problem that counts; such draws say nothing.
  const known = values.filter((v) => !Number.isNaN(v));
  const at = (q: number) =>
    known[Math.min(known.length - 1, Math.floor(q * known.length))] ?? Number.NaN;
  return { mean: statistic((i) => i), low: at(0.025), high: at(0.975), n };
}

/** Share sum(hits) / sum(of) over problems. NaN where nothing was counted. */
export function estimate(parts: readonly Part[]): Estimate {
  const counted = parts.filter(([, of]) => of > 0);
  return bootstrap(counted.length, (pick) => ratio(counted, pick));
}

/** Mean over runs of each run's share; the runs saw the same problems in the same order. [runs][problems] */
export function pooledEstimate(runs: readonly (readonly Part[])[]): Estimate {
  return bootstrap(runs[0]?.length ?? 0, (pick) => mean(runs.map((parts) => ratio(parts, pick))));
}

/** Mean share of `runs` minus that of `baseline`, problems drawn alike for both. [runs][problems] */
export function pairedDifference(
  runs: readonly (readonly Part[])[],
  baseline: readonly (readonly Part[])[],
): Estimate {
  const share = (some: typeof runs, pick: (i: number) => number) =>
    mean(some.map((parts) => ratio(parts, pick)));
  return bootstrap(runs[0]?.length ?? 0, (pick) => share(runs, pick) - share(baseline, pick));
}
