/**
 * The math domain as a plug-in, and `verifyMath` for one call. Both judge through a {@link MathPool}.
 */

import type { Domain, Task, Verdict } from '../types.ts';
import { mathCorrection } from './correction.ts';
import { extractReference } from './extract.ts';
import { DEFAULTS, type MathOptions, mathOptions } from './options.ts';
import { MathPool, type MathPoolOptions } from './pool.ts';
import { parseMathTask } from './row.ts';
import type { MathReference } from './verdict.ts';

export interface MathDomainOptions extends MathPoolOptions {
  /** Policies for rows that set none. */
  readonly defaults?: Partial<MathOptions>;
}

/** @throws {OptionError} on an unknown or ill-typed default. */
export function mathDomain(options: MathDomainOptions = {}): Domain<MathReference> {
  const defaults = mathOptions(options.defaults, DEFAULTS);
  const pool = new MathPool(options);
  return {
    name: 'math',
    parse: (row) => parseMathTask(row, defaults),
    verify: (task, attempt, signal) => pool.verify(task.reference, attempt.text, signal),
    correction: mathCorrection,
    known: knownAnswers,
    close: () => pool.close(),
  };
}

let shared: MathPool | undefined;

/**
 * Judges one response against a reference. Calls share one pool, which {@link closeMath} ends; it keeps no process alive.
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
  shared ??= new MathPool();
  return shared.verify(task, response);
}

/** Ends the pool behind {@link verifyMath}; the next call starts another. */
export async function closeMath(): Promise<void> {
  const pool = shared;
  shared = undefined;
  await pool?.close();
}

/** The reference itself in the place where answers are looked for, and one that no reference equals. */
function knownAnswers(task: Task<MathReference>): {
  readonly correct: string;
  readonly incorrect: string;
} {
  const place = (answer: string): string => {
    if (task.reference.options.extraction === 'hash') return `#### ${answer}`;
    return `The work is shown above. The answer is $\\boxed{${answer}}$`;
  };
  return {
    correct: place(extractReference(task.reference.answer)),
    incorrect: place('zzyzx_{404}'),
  };
}
