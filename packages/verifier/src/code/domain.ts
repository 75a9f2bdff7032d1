/** The code domain: wraps {@link createCodeVerifier} as a `Domain`. */
import type { Domain } from '../types.ts';
import { correctionPrompt } from './correction.ts';
import { type CodeReference, parseCodeTask } from './reference.ts';
import { type CodeOptions, type CodeVerifier, createCodeVerifier } from './verifier.ts';

/** The code domain can also run a program without judging it. */
export interface CodeDomain extends Domain<CodeReference> {
  /** See {@link CodeVerifier.run}. */
  readonly run: CodeVerifier['run'];
}

/** Makes the code domain. Its cells start with the first attempt; `close()` ends them. */
export function codeDomain(options: CodeOptions = {}): CodeDomain {
  const verifier = createCodeVerifier(options);
  return {
    name: 'code',
    parse: parseCodeTask,
    verify: (task, attempt, signal) => verifier.verify(task, attempt, signal),
    run: (program, signal) => verifier.run(program, signal),
    correction: correctionPrompt,
    known: ({ reference: { solution } }) =>
      solution === undefined ? undefined : { correct: solution, incorrect: 'not a program {' },
    close: () => verifier.close(),
  };
}
