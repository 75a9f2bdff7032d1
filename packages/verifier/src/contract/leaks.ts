/**
 * What the policy may see of a task and a verdict, and what must not stand in it: the prompt, the diagnostics addressed
 * to it with their details, the correction prompt.
 */
import type { Attempt, Diagnostic, Domain, Message, Task, Verdict } from '../types.ts';
import { textsIn } from './verdicts.ts';

export const contents = (messages: readonly Message[]) => messages.map((m) => m.content).join('\n');

export const toldTo = (audience: Diagnostic['audience'], verdict: Verdict) =>
  verdict.kind === 'judged' ? verdict.diagnostics.filter((d) => d.audience === audience) : [];

/** Everything about a judged attempt that may reach the policy, as one text. */
export function policyView<R>(
  domain: Domain<R>,
  task: Task<R>,
  attempt: Attempt,
  verdict: Verdict,
): string {
  const told = toldTo('policy', verdict);
  const correction = contents(domain.correction?.(task, attempt, told) ?? []);
  return [correction, JSON.stringify(told), ...textsIn(told)].join('\n');
}

/**
 * Texts that no attempt of the policy may learn from the verifier: those that the subject names, the known right
 * answer, and every part of the reference that stands in it but not in the known wrong one, where only the packaging
 * can be the same. What the prompt says itself is no secret.
 */
export function secretsOf<R>(
  task: Task<R>,
  known: { readonly correct: string; readonly incorrect: string } | undefined,
  named: readonly string[],
): readonly string[] {
  const { correct = '', incorrect = '' } = known ?? {};
  const parts = [...textsIn(task.reference)].map((t) => t.trim());
  const telling = parts.filter((part) => stands(part, correct) && !stands(part, incorrect));
  const prompt = contents(task.prompt);
  const derived = [correct.trim(), ...telling].filter((secret) => !stands(secret, prompt));
  return [...new Set([...derived, ...named])].filter((secret) => secret !== '');
}

/** Is `part` in `text`, as a word or a phrase of its own? `7` is not in `17`. */
export function stands(part: string, text: string): boolean {
  if (part === '') return false;
  const [before, after] = [/^\w/.test(part), /\w$/.test(part)];
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
    const cutBefore = before && /\w/.test(text[at - 1] ?? ' ');
    const cutAfter = after && /\w/.test(text[at + part.length] ?? ' ');
    if (!cutBefore && !cutAfter) return true;
  }
  return false;
}

/**
 * Do two correction prompts differ in the attempts that they show and nowhere else? Either all places of the attempts
 * are cut out, or what is left between the common beginning and end belongs to the attempts.
 */
export function sameWords(
  [one, attemptOne]: readonly [string, string],
  [other, attemptOther]: readonly [string, string],
): boolean {
  if (one.split(attemptOne).join('\0') === other.split(attemptOther).join('\0')) return true;
  const least = Math.min(one.length, other.length);
  let start = 0;
  while (start < least && one[start] === other[start]) start++;
  let end = 0;
  while (end < least - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  const middle = (text: string) => text.slice(start, text.length - end);
  return attemptOne.includes(middle(one)) && attemptOther.includes(middle(other));
}
