/**
 * The math domain as a plug-in: rows in, verdicts out. Judging happens in this process where its cost is bounded by the
 * caps and the answer is short, in a supervised cell otherwise (pool.ts).
 */

import { type Domain, type Task, type Verdict, voided } from '../types.ts';
import { mathCorrection } from './correction.ts';
import { extractReference } from './extract.ts';
import { DEFAULTS, type MathOptions, mathOptions } from './options.ts';
import { parseRow } from './row.ts';
import { type MathReference, verdictOf } from './verdict.ts';

export interface MathDomainOptions {
  /** Policies for rows that set none. */
  readonly defaults?: Partial<MathOptions>;
}

/** @throws {OptionError} on an unknown or ill-typed default. */
export function mathDomain(options: MathDomainOptions = {}): Domain<MathReference> {
  const defaults = mathOptions(options.defaults, DEFAULTS);
  return {
    name: 'math',
    parse: (row) => parseRow(row, defaults),
    verify: async (task, attempt, signal) =>
      signal?.aborted
        ? voided('aborted', 'aborted before it was judged')
        : verdictOf(task.reference, attempt),
    correction: mathCorrection,
    known: knownAnswers,
  };
}

/**
 * Judges one response against a reference.
 *
 * ```ts
 * const verdict = await verifyMath('\\frac{1}{2}', 'so it is \\boxed{0.5}');
 * ```
 * @throws {OptionError} on an unknown option; never on what the texts contain.
 */
export async function verifyMath(
  reference: string,
  response: string,
  options: Partial<MathOptions> & { readonly question?: string } = {},
): Promise<Verdict> {
  const { question, ...policies } = options;
  const task: MathReference = {
    answer: reference,
    options: mathOptions(policies),
    ...(question === undefined ? {} : { question }),
  };
  return verdictOf(task, { text: response });
}

/** The reference itself in the place where answers are looked for, and one that no reference equals. */
function knownAnswers(task: Task<MathReference>): {
  readonly right: string;
  readonly wrong: string;
} {
  const wrong = 'zzyzx_{404}';
  const place = (answer: string): string => {
    if (task.reference.options.extraction === 'hash') return `#### ${answer}`;
    return `The work is shown above. The answer is $\\boxed{${answer}}$`;
  };
  const answer = extractReference(task.reference.answer);
  return { right: place(answer), wrong: place(wrong) };
}
