/** Composes weighted terms into one reward. Leaves out: the terms themselves. */
import type { Composed, Reward, Scored, Weighted } from './types.ts';

/**
 * Creates a reward that is the weighted sum of terms. Terms of weight 0 are computed too, so that they can be watched
 * before they count.
 *
 * ```ts
 * const reward = composeReward({
 *   correct: { term: correct, weight: 1 },
 *   format: { term: format, weight: 0.2 },
 * });
 * reward(attempt, verdict)?.reward; // 1.2, 0.2, 0, or undefined if the verdict is void
 * ```
 * @throws {RangeError} if a weight is not finite. The returned function throws it if a term returns a number that is not
 * finite.
 */
export function composeReward(terms: Readonly<Record<string, Weighted>>): Reward {
  const entries = Object.entries(terms);
  for (const [name, { weight }] of entries) assertFinite(weight, `the weight of ${name}`);
  return (attempt, verdict, tokens) =>
    verdict.kind === 'void'
      ? undefined
      : sumTerms(entries, { attempt, verdict, ...(tokens !== undefined && { tokens }) });
}

function sumTerms(entries: readonly (readonly [string, Weighted])[], scored: Scored): Composed {
  const values: Record<string, number> = {};
  let reward = 0;
  for (const [name, { term, weight }] of entries) {
    const value = term(scored);
    if (value === undefined) continue;
    assertFinite(value, `the value of ${name}`);
    values[name] = value;
    reward += weight * value;
  }
  return { reward, terms: values };
}

/** A NaN would spread to every advantage of its group. */
function assertFinite(value: number, name: string): void {
  if (!Number.isFinite(value)) {
    throw new RangeError(`${name}: expected a finite number, got ${value}`);
  }
}
