/**
 * Compares two readings: letters of choices, times and words first, then expression trees. Then applies the guards
 * against answers that are equal but do not answer. Pure and synchronous; a cell runs it too.
 */
import { renameSymbol } from './equal/collection.ts';
import { compareNodes } from './equal/index.ts';
import { type Context, different, equal, type Outcome } from './equal/outcome.ts';
import { hasReducibleForm, isUnevaluated, restates } from './guard.ts';
import { isScalar, mapChildren, type Node, some, symbols } from './node.ts';
import type { MathOptions } from './options.ts';
import type { Reading } from './read/answer.ts';
import { readAnswer } from './read/answer.ts';

/** Whether a reading has a meaning: a tree, words, a letter or a time. */
export function isReadable(reading: Reading): boolean {
  return (
    reading.node !== undefined ||
    reading.plain !== undefined ||
    reading.words !== undefined ||
    reading.choice !== undefined ||
    reading.time !== undefined
  );
}

/** What else decides a comparison. */
export interface CompareOptions {
  readonly options: MathOptions;
  /** The text of the problem. */
  readonly question?: string;
  /** See {@link Context.canProbe}. */
  readonly canProbe: boolean;
}

/**
 * Whether the candidate answers the same as the reference. Both must be readable.
 * @throws {NeedsProbing} if `canProbe` is false and the comparison needs it
 */
export function compareReadings(
  reference: Reading,
  candidate: Reading,
  { options, question, canProbe }: CompareOptions,
): Outcome {
  const ctx: Context = {
    options,
    canProbe,
    asksPercent: question !== undefined && /\bpercent(age)?\b|%/i.test(question),
  };
  const outcome = byFacets(reference, candidate, ctx);
  if (outcome.result !== 'equal') return outcome;
  return applyGuards(reference, candidate, outcome, options, question);
}

function byFacets(a: Reading, b: Reading, ctx: Context): Outcome {
  return byChoice(a, b, ctx) ?? byTime(a, b) ?? byWords(a, b) ?? byNodes(a, b, ctx);
}

/** A reference that is one capital letter needs that letter; `(B) 7` matches B and 7. */
function byChoice(a: Reading, b: Reading, ctx: Context): Outcome | undefined {
  const isLetter =
    a.choice !== undefined && a.choice.rest === '' && /[A-Z]/.test(a.text.replace(/\\[a-z]+/g, ''));
  if (isLetter && a.choice) {
    if (!b.choice) return undefined;
    return sameLetter(a.choice.letter, b.choice.letter, b)
      ? equal('words')
      : different('words', 'another letter');
  }
  const [letters, others] = [choiceLetters(a.text), choiceLetters(b.text)];
  if (letters && others) return letters === others ? equal('words') : undefined;
  if (a.choice && a.choice.rest !== '') {
    if (b.choice) {
      return a.choice.letter === b.choice.letter
        ? equal('words')
        : different('words', 'another letter');
    }
    return byFacets(readAnswer(a.choice.rest), b, ctx);
  }
  if (b.choice && b.choice.rest !== '') return byFacets(a, readAnswer(b.choice.rest), ctx);
  return undefined;
}

/** Several letters of a choice in alphabetical order, from `ACD` or `A, C and D`. */
function choiceLetters(text: string): string | undefined {
  const s = text.replace(/\\[a-z]+|[\s{}(),;&$]|\band\b/g, '');
  return /^[A-J]{2,8}$/.test(s) && new Set(s).size === s.length
    ? [...s].sort().join('')
    : undefined;
}

/** Case matters beyond J: there X and x are symbols, not choices. */
function sameLetter(letter: string, other: string, b: Reading): boolean {
  return letter === other && (letter <= 'J' || b.text.replace(/\\[a-z]+/g, '').includes(letter));
}

/** Seconds. */
const HALF_DAY = 12 * 3600;

function byTime(a: Reading, b: Reading): Outcome | undefined {
  if (!a.time) return undefined;
  if (!b.time) return a.time.half ? different('words', 'not a time') : undefined;
  const gap = Math.abs(a.time.seconds - b.time.seconds);
  const same = a.time.half === b.time.half ? gap === 0 : gap % HALF_DAY === 0;
  if (same) return equal('words');
  return a.time.half || b.time.half ? different('words', 'another time') : undefined;
}

function byWords(a: Reading, b: Reading): Outcome | undefined {
  if ((a.wordy || b.wordy) && a.words !== undefined && a.words === b.words) return equal('words');
  if (a.wordy && (sameWords(a, b) || sameNames(a, b) || explains(a, b))) return equal('words');
  if (a.wordy && a.node?.k !== 'quantity') {
    return isList(a) && b.node ? undefined : different('words');
  }
  if (b.wordy && b.node?.k !== 'quantity' && b.node?.k !== 'num') {
    return different('words', 'words instead of a value');
  }
  return undefined;
}

function isList(reading: Reading): boolean {
  return reading.node?.k === 'list' && reading.node.items.every((item) => item.k !== 'mul');
}

/** "Alice and Bob" equals "Bob, Alice". */
function sameNames(a: Reading, b: Reading): boolean {
  const names = (words: string): string =>
    words
      .split(/\s*,\s*(?:and\s+)?|\s+and\s+/)
      .sort()
      .join('|');
  if (a.words === undefined || b.words === undefined || /\bor\b/.test(`${a.words} ${b.words}`)) {
    return false;
  }
  return /,| and /.test(a.words) && names(a.words) === names(b.words);
}

/** "Yes, because ..." equals "yes". */
function explains(a: Reading, b: Reading): boolean {
  if (a.words === undefined || !/^(?:yes|no|true|false)$/.test(a.words)) return false;
  const first = /^(?:\\text\s*\{)?\s*([a-z]+)\s*[,.;:]/i.exec(b.text)?.[1];
  return (
    first?.toLowerCase() === a.words &&
    !/\b(?:yes|true)\b.*\b(?:no|false)\b|\b(?:no|false)\b.*\b(?:yes|true)\b/i.test(b.text)
  );
}

/** The same words, apart from articles and other words without meaning. */
function sameWords(a: Reading, b: Reading): boolean {
  const fold = (s: string): string =>
    s
      .replace(/\b(?:the|a|an|is|it|are|only|,)\b|[,.'’]/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
  return (
    a.words !== undefined &&
    b.words !== undefined &&
    fold(a.words) === fold(b.words) &&
    fold(a.words) !== ''
  );
}

function removeLayout(text: string): string {
  return text
    .replace(/(?<=\d)\s+(?=\d)/g, '_')
    .replace(/\s+|\\[,;:! ]|\\(?:left|right)(?![a-zA-Z])|\$/g, '')
    .replace(/\\[dt]frac/g, '\\frac');
}

/** Commas mean the same on both sides. A decimal comma is tried only if the reference is a number. */
function byNodes(a: Reading, b: Reading, ctx: Context): Outcome {
  if (a.node && removeLayout(a.text) === removeLayout(b.text)) return equal('same-text');
  const ways: (() => Outcome)[] = [];
  const pair = (x: Node | undefined, y: Node | undefined): void => {
    if (x && y) ways.push(() => compareLogs(x, alignConstant(x, y), ctx));
  };
  pair(a.node, b.node);
  if (a.plain || b.plain) pair(a.plain ?? a.node, b.plain ?? b.node);
  if (b.decimal && a.node && isScalar(a.node) && a.node.k !== 'sym') pair(a.node, b.decimal);
  return firstEqual(ways) ?? different('structure', 'not of the same kind');
}

const CONSTANT_NAMES: ReadonlySet<string> = new Set(['C', 'c', 'K', 'k', 'C_1', 'c_1']);

/** Renames a constant of integration (`+ c` for `+ C`), if it is the only symbol that differs. */
function alignConstant(a: Node, b: Node): Node {
  const [x, y] = [symbols(a), symbols(b)];
  const [own, other] = [
    x.filter((name) => !y.includes(name)),
    y.filter((name) => !x.includes(name)),
  ];
  const constants =
    own.length === 1 && other.length === 1 && own[0] === 'C' && CONSTANT_NAMES.has(other[0]!);
  return constants ? renameSymbol(b, other[0]!, 'C') : b;
}

/** `\\log` without a base is the natural or the decimal logarithm, but the same one on both sides. */
function compareLogs(a: Node, b: Node, ctx: Context): Outcome {
  const natural = compareNodes(a, b, ctx);
  if (natural.result === 'equal' || !(hasBareLog(a) || hasBareLog(b))) return natural;
  const decimal = compareNodes(toDecimalLogs(a), toDecimalLogs(b), ctx);
  return decimal.result === 'equal' ? decimal : natural;
}

function isBareLog(node: Node): boolean {
  return node.k === 'fn' && node.name === 'log' && node.args.length === 1;
}

function hasBareLog(node: Node): boolean {
  return some(node, isBareLog);
}

function toDecimalLogs(node: Node): Node {
  const inner = mapChildren(node, toDecimalLogs);
  return inner.k === 'fn' && isBareLog(inner) ? { ...inner, name: 'lg' } : inner;
}

/** Another reading of the commas may prove equality, but never replaces the first outcome otherwise. */
function firstEqual(ways: readonly (() => Outcome)[]): Outcome | undefined {
  let first: Outcome | undefined;
  for (const way of ways) {
    const outcome = way();
    if (outcome.result === 'equal') return outcome;
    first ??= outcome;
  }
  return first;
}

function applyGuards(
  a: Reading,
  b: Reading,
  outcome: Outcome,
  options: MathOptions,
  question: string | undefined,
): Outcome {
  if (outcome.stage === 'same-text' || outcome.stage === 'words') return outcome;
  if (question !== undefined && b.node && restates(question, a.text, b.text, b.node)) {
    return different('guard', 'the answer repeats the question');
  }
  if (
    options.form === 'simplest' &&
    b.node &&
    (hasReducibleForm(b.node) || isUnevaluated(b.node))
  ) {
    return different('guard', 'not in simplest form');
  }
  return outcome;
}
