/** The correction prompt of the code domain. It shows an attempt and what was found, and never the verdict. */
import { correctionTurns } from '../correction.ts';
import type { Attempt, Diagnostic, Message, Task } from '../types.ts';
import type { CodeReference } from './reference.ts';

const NAMES = { javascript: 'JavaScript', typescript: 'TypeScript', python: 'Python' } as const;

/**
 * The messages of the task, then the attempt and the request to check it. A correct attempt gets the same words as an
 * incorrect one.
 * @param diagnostics only those that the policy may see
 */
export function correctionPrompt(
  task: Task<CodeReference>,
  attempt: Attempt,
  diagnostics: readonly Diagnostic[],
): readonly Message[] {
  const { language } = task.reference;
  return correctionTurns(task, attempt, diagnostics, {
    attempt: 'Here is an earlier attempt at this task. It may be right or wrong.',
    notes: 'Notes from running it:',
    ask: [
      'Read it with care. If there is a mistake, find it and correct it; if there is none, keep the code as it is.',
      `Answer with the complete ${NAMES[language]} program in one fenced \`\`\`${language} block.`,
    ].join('\n\n'),
  });
}
