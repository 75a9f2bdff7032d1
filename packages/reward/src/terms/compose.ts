/** Terms with weights to one reward. Leaves out the terms themselves. */
import type { Composed, Reward, Scored, Weighted } from './types.ts';

/**
 * Sums terms by their weights. Terms of weight 0 are still worked out, so that they can be watched before they count.
 *
 * ```ts
 * const reward = composeReward({
 *   correct: { term: correct, weight: 1 },
 *   format: { term: format, weight: 0.2 },
 * });
 * reward(attempt, verdict)?.reward; // 1.2, 0.2, 0, or undefined where the verdict is void
 * ```
 * @throws {RangeError} at once on a weight that is no finite number; when scoring, on a term that gives none
 */
export function composeReward(terms: Readonly<Record<string, Weighted>>): Reward {
  const entries = Object.entries(terms);
  for (const [name, { weight }] of entries) finite(weight, `the weight of ${name}`);
  return (attempt, verdict, tokens) =>
    verdict.kind === 'void'
      ? undefined
      : compose(entries, { attempt, verdict, ...(tokens !== undefined && { tokens }) });
}

function compose(terms: readonly (readonly [string, Weighted])[], scored: Scored): Composed {
  const values: Record<string, number> = {};
  let reward = 0;
  for (const [name, { term, weight }] of terms) {
    const value = term(scored);
    if (value === undefined) continue;
    values[name] = finite(value, `the value of ${name}`);
    reward += weight * value;
  }
  return { reward, terms: values };
}

/** A NaN would spread into every advantage of its group. */
function finite(value: number, what: string): number {
  if (Number.isFinite(value)) return value;
  throw new RangeError(`${what} must be a finite number, received ${value}`);
}
