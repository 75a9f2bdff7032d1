/**
 * The correction prompt in the words of math: here is a problem and an earlier attempt that may be wrong.
 * It never says whether the attempt was right and never shows the reference; diagnostics may say what could not be read.
 */

import { fenceText, listNotes } from '../correction.ts';
import type { Attempt, Diagnostic, Message, Task } from '../types.ts';
import type { MathReference } from './verdict.ts';

export function mathCorrection(
  task: Task<MathReference>,
  attempt: Attempt,
  diagnostics: readonly Diagnostic[],
): readonly Message[] {
  const before = task.prompt.filter((message) => message.role !== 'assistant');
  const problem =
    before.findLast((message) => message.role === 'user')?.content ?? task.reference.question ?? '';
  const system = before.filter((message) => message.role === 'system');
  return [...system, { role: 'user', content: words(problem, attempt, diagnostics) }];
}

function words(problem: string, attempt: Attempt, diagnostics: readonly Diagnostic[]): string {
  const told = diagnostics.filter((d) => d.audience === 'policy');
  return [
    problem.trim(),
    'An earlier attempt at this problem is given below. It may be right or wrong.',
    fenceText(attempt.text.trim()),
    ...(attempt.stop === 'length' ? ['The attempt was cut off at the length limit.'] : []),
    ...(told.length > 0 ? [`What was noticed when its answer was read:\n${listNotes(told)}`] : []),
    [
      'Go through it step by step. If there is a mistake, find it and solve the problem correctly; if there is none, keep the result.',
      'End with the final answer in \\boxed{}.',
    ].join('\n'),
  ].join('\n\n');
}
