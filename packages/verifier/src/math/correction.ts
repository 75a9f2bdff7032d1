/**
 * The correction prompt of math: the problem, an earlier attempt that may be incorrect, and what could not be read in it.
 * It reveals neither the reference nor whether the attempt is correct.
 */
import { fenceText, listNotes } from '../correction.ts';
import type { Attempt, Diagnostic, Message, Task } from '../types.ts';
import type { MathReference } from './verdict.ts';

/** Makes the prompt. Diagnostics for the operator are left out. */
export function mathCorrection(
  task: Task<MathReference>,
  attempt: Attempt,
  diagnostics: readonly Diagnostic[],
): readonly Message[] {
  const before = task.prompt.filter((message) => message.role !== 'assistant');
  const problem =
    before.findLast((message) => message.role === 'user')?.content ?? task.reference.question ?? '';
  const system = before.filter((message) => message.role === 'system');
  return [...system, { role: 'user', content: describeTask(problem, attempt, diagnostics) }];
}

function describeTask(
  problem: string,
  attempt: Attempt,
  diagnostics: readonly Diagnostic[],
): string {
  const shown = diagnostics.filter((d) => d.audience === 'policy');
  return [
    problem.trim(),
    'An earlier attempt at this problem is given below. It may be right or wrong.',
    fenceText(attempt.text.trim()),
    ...(attempt.stop === 'length' ? ['The attempt was cut off at the length limit.'] : []),
    ...(shown.length > 0
      ? [`What was noticed when its answer was read:\n${listNotes(shown)}`]
      : []),
    [
      'Go through it step by step. If there is a mistake, find it and solve the problem correctly; if there is none, keep the result.',
      'End with the final answer in \\boxed{}.',
    ].join('\n'),
  ].join('\n\n');
}
