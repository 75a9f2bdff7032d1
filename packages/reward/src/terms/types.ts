/** The words of reward terms. A term is a pure function of a judgement and the attempt; a void verdict never reaches one. */
import type { Attempt, Judged, Verdict } from '@cipo/verifier/types';

/** What a term looks at. */
export interface Scored {
  readonly attempt: Attempt;
  readonly verdict: Judged;
  /** Length of the completion in tokens, where somebody counted. */
  readonly tokens?: number;
}

/**
 * One aspect of an attempt as a number: shares lie in [0, 1], penalties in [-1, 0]. `undefined`: this term has nothing
 * to say on this attempt; it then adds nothing, as in TRL.
 *
 * ```ts
 * const short: Term = ({ attempt }) => (attempt.text.length < 100 ? 1 : 0);
 * ```
 */
export type Term = (scored: Scored) => number | undefined;

/** A term with its weight in the sum. */
export interface Weighted {
  readonly term: Term;
  readonly weight: number;
}

/** One reward with what it was made of. */
export interface Composed {
  /** The sum of weight times value over the terms that had a say. */
  readonly reward: number;
  /** Values by name, unweighted; without the terms that had nothing to say. */
  readonly terms: Readonly<Record<string, number>>;
}

/** {@link Composed}, or undefined where the verdict is void: such an attempt is masked and counted, never scored. */
export type Reward = (attempt: Attempt, verdict: Verdict, tokens?: number) => Composed | undefined;
