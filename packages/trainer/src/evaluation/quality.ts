/** Held-out results of single problems, and the shares that they add up to. */
import type { Quality } from '../events.ts';
import { estimate, passAtK, type Tally } from './statistics.ts';

/** Counts of one problem: k attempts, and one correction of each attempt. Void verdicts are in none of them. */
export interface ProblemResult {
  readonly id: string;
  readonly kind: string;
  /** Judged attempts. */
  readonly samples: number;
  /** Judged attempts that are correct. */
  readonly passed: number;
  /** Judged corrections of incorrect attempts. */
  readonly wrongAnchors: number;
  /** Corrections of incorrect attempts that are correct. */
  readonly fixed: number;
  /** Judged corrections of correct attempts. */
  readonly rightAnchors: number;
  /** Corrections of correct attempts that are still correct. */
  readonly kept: number;
}

/** What one problem adds to each share: pass@k is averaged over problems, fix rate and retention over anchors. */
export const TALLIES: Readonly<Record<keyof Quality, (result: ProblemResult) => Tally>> = {
  passAt1: (result) => passTally(result, 1),
  passAtK: (result) => passTally(result, result.samples),
  fixRate: ({ fixed, wrongAnchors }) => [fixed, wrongAnchors],
  retention: ({ kept, rightAnchors }) => [kept, rightAnchors],
};

/** The four shares over all problems, with 95 % bootstrap intervals. A void attempt makes k smaller for its problem. */
export function qualityOf(results: readonly ProblemResult[]): Quality {
  const share = (name: keyof Quality) => estimate(results.map(TALLIES[name]));
  return {
    passAt1: share('passAt1'),
    passAtK: share('passAtK'),
    fixRate: share('fixRate'),
    retention: share('retention'),
  };
}

function passTally({ samples, passed }: ProblemResult, k: number): Tally {
  return samples === 0 ? [0, 0] : [passAtK(samples, passed, k), 1];
}
