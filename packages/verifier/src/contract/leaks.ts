/** Finds out whether the policy can read a secret: in the prompt, in diagnostics for it, or in a correction prompt. */
import type {
  Attempt,
  Audience,
  Diagnostic,
  Domain,
  KnownResponses,
  Message,
  Task,
  Verdict,
} from '../types.ts';
import { textsIn } from './verdicts.ts';

/** The contents of messages as one text. */
export function joinContents(messages: readonly Message[]): string {
  return messages.map(({ content }) => content).join('\n');
}

/** The diagnostics of a verdict for one audience. */
export function diagnosticsFor(audience: Audience, verdict: Verdict): readonly Diagnostic[] {
  if (verdict.kind === 'void') return [];
  return verdict.diagnostics.filter((diagnostic) => diagnostic.audience === audience);
}

/** Everything about a judged attempt that may reach the policy, as one text. */
export function policyView<R>(
  domain: Domain<R>,
  task: Task<R>,
  attempt: Attempt,
  verdict: Verdict,
): string {
  const shown = diagnosticsFor('policy', verdict);
  const correction = joinContents(domain.correction?.(task, attempt, shown) ?? []);
  return [correction, JSON.stringify(shown), ...textsIn(shown)].join('\n');
}

/**
 * Texts that the policy must not learn: those that the subject names, the known correct response, and every part of the
 * reference that occurs in it but not in the known incorrect one. Text of the prompt is not secret.
 */
export function secretsOf<R>(
  task: Task<R>,
  { correct, incorrect }: KnownResponses,
  named: readonly string[],
): readonly string[] {
  const parts = [...textsIn(task.reference)].map((text) => text.trim());
  const revealing = parts.filter(
    (part) => containsPhrase(correct, part) && !containsPhrase(incorrect, part),
  );
  const prompt = joinContents(task.prompt);
  const derived = [correct.trim(), ...revealing].filter(
    (secret) => !containsPhrase(prompt, secret),
  );
  return [...new Set([...derived, ...named])].filter((secret) => secret !== '');
}

/** Whether `text` contains `phrase` as whole words: `17` does not contain `7`. */
export function containsPhrase(text: string, phrase: string): boolean {
  if (phrase === '') return false;
  const [startsWord, endsWord] = [/^\w/.test(phrase), /\w$/.test(phrase)];
  for (let at = text.indexOf(phrase); at >= 0; at = text.indexOf(phrase, at + 1)) {
    const isCutBefore = startsWord && /\w/.test(text[at - 1] ?? ' ');
    const isCutAfter = endsWord && /\w/.test(text[at + phrase.length] ?? ' ');
    if (!isCutBefore && !isCutAfter) return true;
  }
  return false;
}

/** A correction prompt and the attempt that it shows. */
export interface ShownAttempt {
  readonly prompt: string;
  readonly attempt: string;
}

/**
 * Whether two correction prompts differ only in the attempts that they show: either the rest is equal, or what lies
 * between their common beginning and end is part of the attempts.
 */
export function differOnlyInAttempt(one: ShownAttempt, other: ShownAttempt): boolean {
  const rest = ({ prompt, attempt }: ShownAttempt) => prompt.split(attempt).join('\0');
  if (rest(one) === rest(other)) return true;
  const shorter = Math.min(one.prompt.length, other.prompt.length);
  let start = 0;
  while (start < shorter && one.prompt[start] === other.prompt[start]) start++;
  let end = 0;
  while (end < shorter - start && one.prompt.at(-1 - end) === other.prompt.at(-1 - end)) end++;
  const middle = ({ prompt }: ShownAttempt) => prompt.slice(start, prompt.length - end);
  return one.attempt.includes(middle(one)) && other.attempt.includes(middle(other));
}
