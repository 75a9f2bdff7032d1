/** The failure of a check, short enough for a terminal: no compared values and no more than a few lines of any text. */
import { AssertionError } from 'node:assert';
import { errorMessage } from '@cipo/support';
import { oneLine } from '../correction.ts';

/** Longest message of a failed check, in UTF-16 code units: half a screen. */
const MAX_MESSAGE_CHARS = 1_000;
const MAX_FRAMES = 20;

/**
 * Makes the error that a check reports. Test runners print `actual` and `expected` of an assertion and the whole message,
 * which may quote hostile text of 300,000 characters, so the error has neither.
 */
export function shortenFailure(error: unknown): AssertionError {
  const failure = new AssertionError({ message: oneLine(errorMessage(error), MAX_MESSAGE_CHARS) });
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  failure.stack = [`AssertionError: ${failure.message}`, ...frames.slice(0, MAX_FRAMES)].join('\n');
  return failure;
}
