/**
 * @packageDocumentation
 * Builds correction prompts. The attempt is shown inside a fence that it cannot close, and each diagnostic is one line.
 * Leaves out: which diagnostics the policy may see. `@cipo/reward` decides that.
 */
import type { Attempt, Diagnostic, Message, Task } from './types.ts';

/** Longest attempt that is shown, in UTF-16 code units. A longer one would fill the context of every correction. */
const MAX_ATTEMPT_CHARS = 6_000;
const MAX_NOTES = 10;
const MAX_NOTE_CHARS = 400;

/** Characters that end a line, move the cursor or change the direction of text. */
const CONTROL = /[\p{Cc}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069]+/gu;

/** Makes one line of at most `max` UTF-16 code units from untrusted text. Control characters become spaces. */
export function oneLine(text: string, max = MAX_NOTE_CHARS): string {
  const line = text
    .slice(0, max * 2)
    .replace(CONTROL, ' ')
    .toWellFormed();
  return line.length > max || text.length > max * 2
    ? `${line.slice(0, max - 1).toWellFormed()}…`
    : line;
}

/**
 * Puts text into a Markdown fence that is longer than any run of backticks in the text.
 * @param max UTF-16 code units that are kept; a longer text loses its middle
 */
export function fenceText(text: string, max = MAX_ATTEMPT_CHARS): string {
  const shown = dropMiddle(text, max);
  const longest = [...shown.matchAll(/`+/g)].reduce((most, [run]) => Math.max(most, run.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${shown}\n${fence}`;
}

function dropMiddle(text: string, max: number): string {
  if (text.length <= max) return text;
  const half = Math.floor(max / 2);
  return `${text.slice(0, half)}\n[...]\n${text.slice(-half)}`;
}

/** Lists diagnostics in their order, one line each: `- line 3: message`. At most ten are listed. */
export function listNotes(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .slice(0, MAX_NOTES)
    .map(({ at, message }) => `- ${at ? `line ${at.line}: ` : ''}${oneLine(message)}`)
    .join('\n');
}

/** The sentences of a domain around an attempt. None of them may say whether the attempt is correct. */
export interface CorrectionWords {
  /** Introduces the attempt. */
  readonly attempt: string;
  /** Introduces the diagnostics. Left out if there are none. */
  readonly notes: string;
  /** Says what to do, and in which form to answer. */
  readonly ask: string;
}

/**
 * Makes a correction prompt: the messages of the task, then one user turn with the attempt, the diagnostics and the
 * request.
 */
export function correctionTurns(
  task: Task,
  attempt: Attempt,
  diagnostics: readonly Diagnostic[],
  words: CorrectionWords,
): readonly Message[] {
  const parts = [
    words.attempt,
    fenceText(attempt.text.trim()),
    ...(attempt.stop === 'length' ? ['It was cut off at the length limit.'] : []),
    ...(diagnostics.length > 0 ? [`${words.notes}\n${listNotes(diagnostics)}`] : []),
    words.ask,
  ];
  return [...task.prompt, { role: 'user', content: parts.join('\n\n') }];
}

/** The correction prompt of a domain that has no `correction` of its own. */
export function plainCorrection(
  task: Task,
  attempt: Attempt,
  diagnostics: readonly Diagnostic[],
): readonly Message[] {
  return correctionTurns(task, attempt, diagnostics, {
    attempt: 'Here is an earlier attempt. It may be right or wrong.',
    notes: 'What was noticed:',
    ask: 'Check it. Correct it if there is a mistake, keep it if it is right, and answer in the same format.',
  });
}
