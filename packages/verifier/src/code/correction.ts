/** The correction prompt for code: shows the earlier attempt and what was found, never the verdict. */
import type { Attempt, Diagnostic, Message, Task } from '../types.ts';
import type { CodeReference } from './reference.ts';

const ATTEMPT_CAP = 8000;
const NAMES = { javascript: 'JavaScript', typescript: 'TypeScript', python: 'Python' } as const;

/**
 * The task again, the earlier attempt, and the request to check it. `diagnostics` must already be cut
 * to what the policy may read. A right attempt gets the same words as a wrong one.
 */
export function correctionPrompt(
  task: Task<CodeReference>,
  attempt: Attempt,
  diagnostics: readonly Diagnostic[],
): readonly Message[] {
  const { language } = task.reference;
  const findings = diagnostics.map((finding) => `- ${place(finding)}${finding.message}`);
  const parts = [
    'Here is an earlier attempt at this task. It may be right or wrong.',
    quoted(attempt.text),
    ...(findings.length > 0 ? [`Notes from running it:\n${findings.join('\n')}`] : []),
    'Read it with care. If there is a mistake, find it and correct it; if there is none, keep the code as it is.',
    `Answer with the complete ${NAMES[language]} program in one fenced \`\`\`${language} block.`,
  ];
  return [...task.prompt, { role: 'user', content: parts.join('\n\n') }];
}

function place({ at }: Diagnostic): string {
  return at ? `line ${at.line}: ` : '';
}

/** Fenced, with a fence longer than any inside. */
function quoted(text: string): string {
  const cut = text.length > ATTEMPT_CAP ? `${text.slice(0, ATTEMPT_CAP)}\n…` : text;
  const longest = Math.max(2, ...[...cut.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${cut}\n${fence}`;
}
