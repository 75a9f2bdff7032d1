/** The code domain: the Domain plug-in over {@link createCodeVerifier}. */
import type { Domain } from '../types.ts';
import { correctionPrompt } from './correction.ts';
import { type CodeReference, parseCodeTask } from './reference.ts';
import { type CodeOptions, createCodeVerifier } from './verifier.ts';

export function codeDomain(options: CodeOptions = {}): Domain<CodeReference> {
  const verifier = createCodeVerifier(options);
  return {
    name: 'code',
    parse: parseCodeTask,
    verify: (task, attempt, signal) => verifier.verify(task, attempt, signal),
    correction: correctionPrompt,
    known: ({ reference: { solution } }) =>
      solution === undefined ? undefined : { right: solution, wrong: 'not a program {' },
    close: () => verifier.close(),
  };
}
