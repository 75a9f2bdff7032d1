/**
 * Reads an answer in every plausible reading: as math, as words, as the letter of a choice, as a time. The type of the
 * reference decides later which one counts. Reading never throws; an unreadable answer has an `error`.
 */
import type { Node } from '../node.ts';
import { fromDecimal } from '../number/rational.ts';
import { clean } from './clean.ts';
import { withConditions } from './condition.ts';
import { type CommaMode, ReadError } from './lex.ts';
import {
  ALL_REALS_PHRASES,
  CONSTANT_WORDS,
  EMPTY_PHRASES,
  FUNCTIONS,
  GREEK,
  NUMBER_WORDS,
  SCALE_WORDS,
  UNDEFINED_PHRASES,
} from './names.ts';
import { readMath } from './structure.ts';

/** Longest answer that is read, in UTF-16 code units. */
const MAX_LENGTH = 2_000;

/** The meanings of one answer. */
export interface Reading {
  readonly text: string;
  /** The math reading, with commas before three digits as thousands separators. */
  readonly node?: Node;
  /** Other readings of the commas, if they differ from `node`. */
  readonly plain?: Node;
  readonly decimal?: Node;
  /** Lower-case words without articles, if the answer consists of words. */
  readonly words?: string;
  /** Whether the words can only be words, not a product of symbols. */
  readonly wordy: boolean;
  readonly choice?: { readonly letter: string; readonly rest: string };
  /** A time of day in seconds since midnight. `half`: am or pm was given. */
  readonly time?: { readonly seconds: number; readonly half: boolean };
  readonly error?: { readonly code: ReadError['code']; readonly message: string };
}

export function readAnswer(raw: string): Reading {
  const text = raw.trim();
  if (text.length > MAX_LENGTH) {
    return {
      text: text.slice(0, 80),
      wordy: false,
      error: { code: 'too-long', message: `more than ${MAX_LENGTH} characters` },
    };
  }
  const cleaned = stripEnd(
    clean(withConditions(removeMarkdown(text)))
      .replace(LEAD_IN, '')
      .replace(ROUGHLY, ''),
  );
  const words = readWords(cleaned);
  const phrase = words === undefined ? readBased(cleaned) : readPhrase(words);
  const math = phrase ? { node: phrase } : readModes(cleaned);
  const choice = readChoice(cleaned);
  const time = readTime(cleaned);
  return {
    text,
    ...math,
    ...(words === undefined ? {} : { words }),
    wordy: words !== undefined && phrase === undefined && isWordy(words, cleaned),
    ...(choice ? { choice } : {}),
    ...(time ? { time } : {}),
  };
}

/** Removes `**` and backquotes around the whole text. */
function removeMarkdown(text: string): string {
  return /^(?:\*{1,3}|`+)([^*`]+)(?:\*{1,3}|`+)\.?$/.exec(text)?.[1]?.trim() ?? text;
}

/** "The answer is" at the start of a box. */
const LEAD_IN =
  /^(?:\\(?:text|textbf|mathrm|mbox)\s*\{\s*)?(?:the\s+)?(?:final\s+)?answer(?:\s+is)?\s*:?\s*(?:\}|(?<=[\s:]))|^\\text\s*\{[^{}]{0,60}\b(?:is|are|equals)\s*:?\s*\}/i;

const ROUGHLY = /^(?:about|approximately|approx\.?|roughly|exactly|around|only)\s+(?=[-\d\\$])/i;

/** Removes a full stop, comma or semicolon at the end: it belongs to the sentence. */
function stripEnd(text: string): string {
  let s = text;
  for (let k = 0; k < MAX_STRIPPED; k++) {
    const shorter = s.replace(/[\s,;:]$/, '').replace(/\\text ?\{[\s.,;]{0,4}\}$/, '');
    if (shorter === s) break;
    s = shorter;
  }
  return s.endsWith('.') && !s.endsWith('..') ? s.slice(0, -1).trimEnd() : s;
}

const MAX_STRIPPED = 24;

function readModes(cleaned: string): Pick<Reading, 'node' | 'plain' | 'decimal' | 'error'> {
  const grouped = attempt(cleaned, 'grouped');
  const plain = /\d,\d{3}(?!\d)/.test(cleaned) ? attempt(cleaned, 'plain') : {};
  const thousands = /(?<!\d|^-?0)\d{1,3},\d{3}(?!\d)/.test(cleaned);
  const decimal =
    !thousands && /^[-+]?\s*(?:\\\$)?\s*\d+,\d+(?![\d,])[^,()[\]]*$/.test(cleaned)
      ? attempt(cleaned, 'decimal')
      : {};
  return {
    ...grouped,
    ...(plain.node ? { plain: plain.node } : {}),
    ...(decimal.node ? { decimal: decimal.node } : {}),
  };
}

function attempt(cleaned: string, mode: CommaMode): Pick<Reading, 'node' | 'error'> {
  try {
    return { node: readMath(cleaned, mode) };
  } catch (error) {
    if (error instanceof ReadError) return { error: { code: error.code, message: error.message } };
    throw error;
  }
}

const TEXT_WRAP =
  /\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|textnormal|operatorname|textsf|texttt|emph|underline|mathit|mathsf)\s*\{/g;

/** Removes commands that only change the font. Does not match braces. */
function withoutFonts(cleaned: string): string {
  return cleaned.includes('\\') ? cleaned.replace(TEXT_WRAP, '{') : cleaned;
}

function readWords(cleaned: string): string | undefined {
  const s = withoutFonts(cleaned)
    .replace(/[{}"]/g, ' ')
    .replace(/(?<=[A-Za-z])[.!?]+(?=\s|$)/g, '')
    .trim();
  if (
    !/^[A-Za-z\u00c0-\u024f][A-Za-z\u00c0-\u024f\s'’,-]*$|^[A-Za-z]{3,}(?: [A-Za-z]+)* \d{1,4}(?:,? \d{4})?$/.test(
      s,
    )
  ) {
    return undefined;
  }
  return s
    .toLowerCase()
    .replace(/[-\s]+/g, ' ')
    .replace(/^(?:the|a|an) (?=[a-z]{3,}(?!.* and ))/, '')
    .trim();
}

function readPhrase(words: string): Node | undefined {
  const key = words.replace(/['’]/g, '');
  if (EMPTY_PHRASES.has(key)) return { k: 'set', items: [] };
  if (UNDEFINED_PHRASES.has(key)) return { k: 'const', name: 'undefined' };
  if (ALL_REALS_PHRASES.has(key)) return { k: 'numberset', name: 'R' };
  return readNumberWords(key);
}

/** `A5_{11}`, `-37_8`: digits with letters, which the expression reader would split. */
function readBased(cleaned: string): Node | undefined {
  const s = withoutFonts(cleaned)
    .replace(/\s+/g, '')
    .replace(/^\{([0-9A-Z]+)\}/, '$1');
  const m =
    /^(-?)([0-9A-Z]+)(?:_(?:\{+(\d{1,2})\}+|(\d{1,2}))|[{(]*(?:in)?base[})]*(\d{1,2})[)}]*)$/.exec(
      s,
    );
  const base = Number(m?.[3] ?? m?.[4] ?? m?.[5] ?? 0);
  if (!m || base < 2 || base > 36 || !/\d/.test(m[2]!)) return undefined;
  const digits = m[2]!.replace(/^0+(?=.)/, '');
  if ([...digits].some((d) => Number.parseInt(d, 36) >= base)) return undefined;
  return { k: 'based', digits: `${m[1]}${digits}`, base };
}

const TENS: Readonly<Record<string, bigint>> = {
  twenty: 20n,
  thirty: 30n,
  forty: 40n,
  fifty: 50n,
  sixty: 60n,
  seventy: 70n,
  eighty: 80n,
  ninety: 90n,
};

/** The value of "forty two" or "three hundred and five". */
function readNumberWords(words: string): Node | undefined {
  const signed = /^(?:negative|minus) (.+)$/.exec(words)?.[1];
  if (signed) {
    const arg = readNumberWords(signed);
    return arg && { k: 'neg', arg };
  }
  let [total, current] = [0n, -1n];
  for (const word of words.split(' ')) {
    const small = NUMBER_WORDS.get(word);
    const scale = SCALE_WORDS.get(word);
    if (word === 'and' && current >= 0n) continue;
    if (small !== undefined || TENS[word] !== undefined) {
      current = (current < 0n ? 0n : current) + (TENS[word] ?? BigInt(small!));
    } else if (scale === 100n && current >= 0n) current *= 100n;
    else if (scale !== undefined && current >= 0n) [total, current] = [total + current * scale, 0n];
    else return undefined;
  }
  return current < 0n ? undefined : { k: 'num', value: fromDecimal(String(total + current)) };
}

const SHORT_WORDS = new Set([
  'yes',
  'no',
  'odd',
  'red',
  'mon',
  'tue',
  'wed',
  'thu',
  'fri',
  'sat',
  'sun',
  'may',
  'tie',
  'one',
  'all',
  'any',
  'day',
  'neither',
  'both',
  'true',
  'dog',
  'cat',
  'boy',
  'set',
  'sad',
  'up',
  'left',
  'east',
  'west',
  'she',
  'him',
  'her',
  'tom',
  'bob',
  'ann',
  'jim',
  'joe',
  'sam',
  'ben',
  'dan',
  'amy',
  'tim',
  'ted',
]);

/** Whether a text is words and not a product of symbols: marked as text, or long and with a vowel. */
function isWordy(words: string, cleaned: string): boolean {
  const runs = words.split(/[ ,]+/);
  if (
    runs.every(
      (run) => run.length === 1 || FUNCTIONS.has(run) || GREEK.has(run) || CONSTANT_WORDS.has(run),
    )
  ) {
    return false;
  }
  if (/\\(?:text|mathrm|mbox|operatorname)/.test(cleaned)) {
    return runs.some((run) => run.length > 1);
  }
  return runs.some(
    (run) =>
      SHORT_WORDS.has(run) ||
      (run.length >= 4 && /[aeiouy]/.test(run) && !isAlphabetical(run) && !FUNCTIONS.has(run)),
  );
}

function isAlphabetical(run: string): boolean {
  return [...run].every((c, k) => k === 0 || run[k - 1]! < c);
}

/** `C`, `(C)`, `C.`, `(C) 5`, `C: five`, `\text{(C)}`, `option C`. */
function readChoice(cleaned: string): Reading['choice'] {
  const s = withoutFonts(cleaned).replace(/[{}]/g, ' ').replace(/\s+/g, ' ').trim();
  const bare = /^(?:(?:option|choice|answer)\s*:?\s*)?\(?\s*([A-Za-z])\s*[).]?$/i.exec(s);
  if (bare) return { letter: bare[1]!.toUpperCase(), rest: '' };
  const full =
    /^(?:(?:option|choice|answer)\s*:?\s*)?(?:\(\s*([A-Ja-j])\s*\)|([A-J])\s*[).:])\s*((?![,;&]|and\b|or\b)\S.*)$/.exec(
      s,
    );
  return full ? { letter: (full[1] ?? full[2])!.toUpperCase(), rest: full[3]! } : undefined;
}

const TIME =
  /^(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?\s*([ap])\.?\s*m\.?$|^(\d{1,2}):(\d{2})(?::(\d{2}))?$/i;

function readTime(cleaned: string): Reading['time'] {
  const m = TIME.exec(withoutFonts(cleaned).replace(/[{}]/g, ' ').replace(/\s+/g, ' ').trim());
  if (!m) return undefined;
  const [hours, minutes, seconds] = [
    Number(m[1] ?? m[5]),
    Number(m[2] ?? m[6] ?? 0),
    Number(m[3] ?? m[7] ?? 0),
  ];
  if (hours > 24 || minutes > 59 || seconds > 59) return undefined;
  const half = m[4]?.toLowerCase();
  const base = half === undefined ? hours : (hours % 12) + (half === 'p' ? 12 : 0);
  return { seconds: base * 3600 + minutes * 60 + seconds, half: half !== undefined };
}
