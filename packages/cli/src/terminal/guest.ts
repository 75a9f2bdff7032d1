/**
 * Text that a policy or a guest program made, made safe to print: it must not move the cursor, recolour
 * the terminal, reorder what is read or forge a line of ours.
 */
import { stripVTControlCharacters } from 'node:util';

// Control, format (bidi overrides, zero width), lone surrogates, line and paragraph separators.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** One line: line breaks are shown as escapes too. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text).replaceAll('\n', '⏎ ').replace(HIDDEN, escaped);
}

/** Several lines: breaks stay, tabs become two blanks, all else that is hidden is spelled out. */
export function visibleLines(text: string): string[] {
  return stripVTControlCharacters(text)
    .replaceAll('\r\n', '\n')
    .replaceAll('\t', '  ')
    .split('\n')
    .map((line) => line.replace(HIDDEN, escaped));
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `\\u{${code.toString(16)}}`;
}
