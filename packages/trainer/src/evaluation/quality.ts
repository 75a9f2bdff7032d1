/** Held-out results of single problems, and the shares they add up to. */
import type { Quality } from '../events.ts';
import { estimate, type Part, passAtK } from './statistics.ts';

/** One problem: k attempts, and one correction of each attempt. Void verdicts are in none of the counts. */
export interface ProblemResult {
  readonly id: string;
  readonly kind: string;
  /** Judged attempts, and how many passed. */
  readonly samples: number;
  readonly passed: number;
  /** Corrections of failed attempts, and how many came out right. */
  readonly wrongAnchors: number;
  readonly fixed: number;
  /** Corrections of right attempts, and how many stayed right. */
  readonly rightAnchors: number;
  readonly kept: number;
}

/** What each problem adds to each share: pass@k is averaged over problems, the correction shares over anchors. */
export const PARTS: Readonly<Record<keyof Quality, (r: ProblemResult) => Part>> = {
  passAt1: (r) => passPart(r, 1),
  passAtK: (r) => passPart(r, r.samples),
  fixRate: (r) => [r.fixed, r.wrongAnchors],
  retention: (r) => [r.kept, r.rightAnchors],
};

/** Where k is the number of attempts, those without a judgement make it smaller. */
const passPart = ({ samples, passed }: ProblemResult, k: number): Part =>
  samples === 0 ? [0, 0] : [passAtK(samples, passed, k), 1];

export function qualityOf(results: readonly ProblemResult[]): Quality {
  const of = (name: keyof Quality) => estimate(results.map(PARTS[name]));
  return {
    passAt1: of('passAt1'),
    passAtK: of('passAtK'),
    fixRate: of('fixRate'),
    retention: of('retention'),
  };
}
