/** The code domain: the Domain plug-in over {@link createCodeVerifier}. */
import type { Domain } from '../types.ts';
import { correctionPrompt } from './correction.ts';
import { type CodeReference, parseCodeTask } from './reference.ts';
import { type CodeOptions, type CodeVerifier, createCodeVerifier } from './verifier.ts';

/** The code domain can also run a program without judging it. */
export interface CodeDomain extends Domain<CodeReference> {
  readonly run: CodeVerifier['run'];
}

export function codeDomain(options: CodeOptions = {}): CodeDomain {
  const verifier = createCodeVerifier(options);
  return {
    name: 'code',
    parse: parseCodeTask,
    verify: (task, attempt, signal) => verifier.verify(task, attempt, signal),
    run: verifier.run,
    correction: correctionPrompt,
    known: ({ reference: { solution } }) =>
      solution === undefined ? undefined : { correct: solution, incorrect: 'not a program {' },
    close: () => verifier.close(),
  };
}
