/** Types of reward terms. A term is a pure function of a judged verdict and its attempt; it never sees a void verdict. */
import type { Attempt, Judged, Verdict } from '@cipo/verifier/types';

/** The input of a term. */
export interface Scored {
  readonly attempt: Attempt;
  readonly verdict: Judged;
  /** Length of the completion in tokens, if it was counted. */
  readonly tokens?: number;
}

/**
 * One aspect of an attempt as a number: a share in [0, 1] or a penalty in [-1, 0]. `undefined` means that the term does
 * not apply to this attempt; it then adds nothing, as in TRL.
 *
 * ```ts
 * const short: Term = ({ attempt }) => (attempt.text.length < 100 ? 1 : 0);
 * ```
 */
export type Term = (scored: Scored) => number | undefined;

/** A term and its weight in the sum. */
export interface Weighted {
  readonly term: Term;
  /** Any finite number. With 0 the term is computed and reported, but does not count. */
  readonly weight: number;
}

/** A composed reward and the values of its terms. */
export interface Composed {
  /** Sum of weight times value over the terms that apply. */
  readonly reward: number;
  /** Unweighted values by name, without the terms that do not apply. */
  readonly terms: Readonly<Record<string, number>>;
}

/**
 * A composed reward as a function.
 *
 * @returns undefined for a void verdict: such an attempt is masked and counted, never scored
 */
export type Reward = (attempt: Attempt, verdict: Verdict, tokens?: number) => Composed | undefined;
