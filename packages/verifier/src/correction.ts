/**
 * Pieces of a correction prompt that hold whatever a policy wrote: the attempt inside a quotation that it cannot end,
 * notes of one line each. A domain brings the words; what may be told at all is decided elsewhere (`@cipo/reward`).
 */
import type { Attempt, Diagnostic, Message, Task } from './types.ts';

/** Longest attempt that is shown, in UTF-16 code units: a prompt is read with every correction. */
const MAX_ATTEMPT = 6_000;
const MAX_NOTES = 10;
const MAX_NOTE = 400;

/** Everything that moves a cursor, ends a line or turns it around. */
const CONTROL = /[\p{Cc}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069]+/gu;

/** Guest text as one line of at most `max` UTF-16 code units, without control characters. */
export function oneLine(text: string, max = MAX_NOTE): string {
  const line = text
    .slice(0, max * 2)
    .replace(CONTROL, ' ')
    .toWellFormed();
  return line.length > max || text.length > max * 2
    ? `${line.slice(0, max - 1).toWellFormed()}…`
    : line;
}

/** The text in a fence longer than any inside it; the middle of a long one is left out. */
export function quoted(text: string, max = MAX_ATTEMPT): string {
  const shown = shorten(text, max);
  const longest = [...shown.matchAll(/`+/g)].reduce((most, [run]) => Math.max(most, run.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${shown}\n${fence}`;
}

/** Beginning and end of a text of more than `max` UTF-16 code units. */
export function shorten(text: string, max = MAX_ATTEMPT): string {
  if (text.length <= max) return text;
  const half = Math.floor(max / 2);
  return `${text.slice(0, half)}\n[...]\n${text.slice(-half)}`;
}

/** One line for each diagnostic, `- line 3: message`, in their order. */
export function notes(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .slice(0, MAX_NOTES)
    .map(({ at, message }) => `- ${at ? `line ${at.line}: ` : ''}${oneLine(message)}`)
    .join('\n');
}

/** The words of a domain around an attempt. None may say whether the attempt was right. */
export interface CorrectionWords {
  /** Before the attempt. */
  readonly attempt: string;
  /** Before the notes, where there are any. */
  readonly notes: string;
  /** What to do, and in which form to answer. */
  readonly ask: string;
}

/** The task again, then one turn: the attempt, what was noticed, what to do. */
export function correctionTurns(
  task: Task,
  attempt: Attempt,
  diagnostics: readonly Diagnostic[],
  words: CorrectionWords,
): readonly Message[] {
  const parts = [
    words.attempt,
    quoted(attempt.text.trim()),
    ...(attempt.stop === 'length' ? ['It was cut off at the length limit.'] : []),
    ...(diagnostics.length > 0 ? [`${words.notes}\n${notes(diagnostics)}`] : []),
    words.ask,
  ];
  return [...task.prompt, { role: 'user', content: parts.join('\n\n') }];
}

/** For domains without words of their own. */
export const plainCorrection = (
  task: Task,
  attempt: Attempt,
  diagnostics: readonly Diagnostic[],
): readonly Message[] =>
  correctionTurns(task, attempt, diagnostics, {
    attempt: 'Here is an earlier attempt. It may be right or wrong.',
    notes: 'What was noticed:',
    ask: 'Check it. Correct it if there is a mistake, keep it if it is right, and answer in the same format.',
  });
