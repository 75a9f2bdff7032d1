/** The math domain, and `verifyMath` for single calls. Both verify through a {@link MathPool}. */
import type { Domain, KnownResponses, Task, Verdict } from '../types.ts';
import { mathCorrection } from './correction.ts';
import { extractReference } from './extract.ts';
import { DEFAULTS, type MathOptions, mathOptions } from './options.ts';
import { MathPool, type MathPoolOptions } from './pool.ts';
import { parseMathTask } from './row.ts';
import type { MathReference } from './verdict.ts';

/** Options of {@link mathDomain}. */
export interface MathDomainOptions extends MathPoolOptions {
  /** Comparison options for rows that set none. */
  readonly defaults?: Partial<MathOptions>;
}

/**
 * Creates the math domain. Close it to end its child processes.
 * @throws {TaskError} if a default is unknown or has the wrong type
 */
export function mathDomain(options: MathDomainOptions = {}): Domain<MathReference> {
  const defaults = mathOptions(options.defaults, DEFAULTS);
  const pool = new MathPool(options);
  return {
    name: 'math',
    parse: (row) => parseMathTask(row, defaults),
    verify: (task, attempt, signal) => pool.verify(task.reference, attempt.text, signal),
    correction: mathCorrection,
    known: knownResponses,
    close: () => pool.close(),
  };
}

let shared: MathPool | undefined;

/**
 * Verifies one response against a reference. All calls share one pool, which {@link closeMath} ends; it does not keep the
 * process alive.
 *
 * ```ts
 * const verdict = await verifyMath('\\frac{1}{2}', 'so it is \\boxed{0.5}');
 * ```
 * @param reference the correct answer, as LaTeX or plain text
 * @param response the whole response, in which the answer is looked for
 * @param options comparison options, and the `question` for the guard against restating it
 * @throws {TaskError} if an option is unknown or has the wrong type. No content of the texts makes it throw
 */
export async function verifyMath(
  reference: string,
  response: string,
  options: Partial<MathOptions> & { readonly question?: string } = {},
): Promise<Verdict> {
  const { question, ...given } = options;
  const task: MathReference = {
    answer: reference,
    options: mathOptions(given),
    ...(question === undefined ? {} : { question }),
  };
  shared ??= new MathPool();
  return shared.verify(task, response);
}

/** Ends the pool behind {@link verifyMath}. The next call starts another. */
export async function closeMath(): Promise<void> {
  const pool = shared;
  shared = undefined;
  await pool?.close();
}

/** The reference itself in the place where answers are looked for, and an answer that no reference equals. */
function knownResponses(task: Task<MathReference>): KnownResponses {
  const { answer, options } = task.reference;
  const respond = (text: string): string => {
    if (options.extraction === 'hash') return `#### ${text}`;
    return `The work is shown above. The answer is $\\boxed{${text}}$`;
  };
  return { correct: respond(extractReference(answer)), incorrect: respond('zzyzx_{404}') };
}
