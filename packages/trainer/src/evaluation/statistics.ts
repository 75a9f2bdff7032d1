/** pass@k and bootstrap intervals: the statistics of every reported number. */
import { mean } from '@cipo/support';
import type { Estimate } from '../events.ts';
import { createRng } from '../rng.ts';

/** What one problem adds to a share: hits, and out of how many. */
export type Tally = readonly [hits: number, of: number];

const RESAMPLES = 1000;
/** Bounds of the 95 % percentile interval. */
const LOW_QUANTILE = 0.025;
const HIGH_QUANTILE = 0.975;

/**
 * Unbiased pass@k (Chen et al. 2021): 1 - C(n-c, k) / C(n, k), as 1 - prod_{i=n-c+1..n} (1 - k/i); 1 if n - c < k.
 * @param n samples of a problem
 * @param c correct samples among them
 * @throws {RangeError} if k < 1, k > n or c > n
 */
export function passAtK(n: number, c: number, k: number): number {
  if (k > n || c > n || k < 1) {
    throw new RangeError(`pass@${k}: expected 1 <= k <= n and c <= n, got n = ${n}, c = ${c}`);
  }
  if (n - c < k) return 1;
  let allIncorrect = 1;
  for (let i = n - c + 1; i <= n; i++) {
    allIncorrect *= 1 - k / i;
  }
  return 1 - allIncorrect;
}

/** The share sum(hits) / sum(of) over problems, with its interval. NaN if nothing was counted. */
export function estimate(tallies: readonly Tally[]): Estimate {
  const counted = tallies.filter(([, of]) => of > 0);
  return bootstrap(counted.length, (draw) => drawnShare(counted, draw));
}

/**
 * Mean over runs of each run's share, with its interval.
 * @param runs [runs][problems], the same problems in the same order in each run
 */
export function pooledEstimate(runs: readonly (readonly Tally[])[]): Estimate {
  return bootstrap(problemCount(runs), (draw) => meanShare(runs, draw));
}

/**
 * Mean share of `runs` minus that of `baseline`, with its interval. Each resample draws the same problems for both.
 * @param runs [runs][problems], the same problems in the same order in each run
 * @param baseline as `runs`
 */
export function pairedDifference(
  runs: readonly (readonly Tally[])[],
  baseline: readonly (readonly Tally[])[],
): Estimate {
  return bootstrap(problemCount(runs), (draw) => meanShare(runs, draw) - meanShare(baseline, draw));
}

/** The index of the problem at position i of a resample. */
type Draw = (i: number) => number;

/** A statistic of n problems with its 95 % percentile bootstrap interval over {@link RESAMPLES} resamples. */
function bootstrap(n: number, statistic: (draw: Draw) => number): Estimate {
  if (n === 0) return { mean: Number.NaN, low: Number.NaN, high: Number.NaN, n };
  const rng = createRng('bootstrap', n);
  const values = Float64Array.from({ length: RESAMPLES }, () => {
    const drawn = Int32Array.from({ length: n }, () => rng.int(0, n - 1));
    return statistic((i) => drawn[i]!);
  }).sort();
  // NaN is a resample in which nothing was counted.
  const known = values.filter((value) => !Number.isNaN(value));
  const quantile = (q: number) =>
    known[Math.min(known.length - 1, Math.floor(q * known.length))] ?? Number.NaN;
  return {
    mean: statistic((i) => i),
    low: quantile(LOW_QUANTILE),
    high: quantile(HIGH_QUANTILE),
    n,
  };
}

function drawnShare(tallies: readonly Tally[], draw: Draw): number {
  let hits = 0;
  let total = 0;
  for (let i = 0; i < tallies.length; i++) {
    const [hit, of] = tallies[draw(i)]!;
    hits += hit;
    total += of;
  }
  return total === 0 ? Number.NaN : hits / total;
}

function meanShare(runs: readonly (readonly Tally[])[], draw: Draw): number {
  return mean(runs.map((tallies) => drawnShare(tallies, draw)));
}

function problemCount(runs: readonly (readonly Tally[])[]): number {
  return runs[0]?.length ?? 0;
}
