/**
 * Makes text from a policy, a guest program or a file safe to print: it cannot move the cursor, recolor the terminal,
 * reorder what is read, imitate a line of the command, or fill more than a screen.
 */
import { stripVTControlCharacters } from 'node:util';

/** Control and format characters (bidi overrides, zero width), lone surrogates, line and paragraph separators. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

const MAX_LINES = 40;
const MAX_LINE_CHARS = 1_000;

/** The text as one line: line breaks become visible too. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text).replaceAll('\n', '⏎ ').replace(HIDDEN, escapeCharacter);
}

/** The lines of a text. Tabs become two blanks; every other hidden character becomes a visible escape. */
export function visibleLines(text: string): string[] {
  return stripVTControlCharacters(text)
    .replaceAll('\r\n', '\n')
    .replaceAll('\t', '  ')
    .split('\n')
    .map((line) => line.replace(HIDDEN, escapeCharacter));
}

/** A message that may quote guest text: safe to print, and no longer than a screen. */
export function clipText(text: string): string {
  // Cut before escaping: a text of megabytes is not worth the work.
  const lines = visibleLines(text.slice(0, 2 * MAX_LINES * MAX_LINE_CHARS));
  const shown = lines.slice(0, MAX_LINES).map((line) => clipLine(line, MAX_LINE_CHARS));
  if (lines.length > MAX_LINES) shown.push(`… ${lines.length - MAX_LINES} more lines`);
  return shown.join('\n');
}

/** At most `max` characters, with an ellipsis in place of the rest. */
export function clipLine(line: string, max: number): string {
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `\\u{${code.toString(16)}}`;
}
