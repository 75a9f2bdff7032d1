/**
 * One reading against another: text, choices and times first, then trees; the guards against answers that are equal
 * and still no answer. Pure and synchronous: this is what a cell runs.
 */

import { rename } from './equal/collection.ts';
import { compareNodes } from './equal/index.ts';
import { type Context, different, equal, type Outcome } from './equal/outcome.ts';
import { hasReducibleForm, isUnevaluated, restates } from './guard.ts';
import { isScalar, mapChildren, type Node, some, symbols } from './node.ts';
import type { MathOptions } from './options.ts';
import type { Reading } from './read/answer.ts';
import { readAnswer } from './read/answer.ts';

/** A reading that says something: a tree, words, a letter or a time. */
export const isReadable = (reading: Reading): boolean =>
  reading.node !== undefined ||
  reading.plain !== undefined ||
  reading.words !== undefined ||
  reading.choice !== undefined ||
  reading.time !== undefined;

/** Does the candidate answer for the reference? Both are readable. */
export function judge(
  reference: Reading,
  candidate: Reading,
  options: MathOptions,
  question?: string,
): Outcome {
  const ctx: Context = {
    options,
    asksPercent: question !== undefined && /\bpercent(age)?\b|%/i.test(question),
  };
  const outcome = byFacets(reference, candidate, ctx);
  if (outcome.result === 'equal') return guarded(reference, candidate, outcome, options, question);
  return outcome;
}

function byFacets(a: Reading, b: Reading, ctx: Context): Outcome {
  return byChoice(a, b, ctx) ?? byTime(a, b) ?? byWords(a, b) ?? byNodes(a, b, ctx);
}

/** A reference that is one capital letter wants that letter; `(B) 7` answers for B and for 7. */
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
    if (b.choice)
      return a.choice.letter === b.choice.letter
        ? equal('words')
        : different('words', 'another letter');
    return byFacets(readAnswer(a.choice.rest), b, ctx);
  }
  if (b.choice && b.choice.rest !== '') return byFacets(a, readAnswer(b.choice.rest), ctx);
  return undefined;
}

/** `ACD`, `A, C and D`: several letters of a choice, in order. */
function choiceLetters(text: string): string | undefined {
  const s = text.replace(/\\[a-z]+|[\s{}(),;&$]|\band\b/g, '');
  return /^[A-J]{2,8}$/.test(s) && new Set(s).size === s.length
    ? [...s].sort().join('')
    : undefined;
}

/** Case counts beyond J: X and x are symbols there, not choices. */
const sameLetter = (letter: string, other: string, b: Reading): boolean =>
  letter === other && (letter <= 'J' || b.text.replace(/\\[a-z]+/g, '').includes(letter));

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
  if (a.wordy && a.node?.k !== 'quantity')
    return isList(a) && b.node ? undefined : different('words');
  if (b.wordy && b.node?.k !== 'quantity' && b.node?.k !== 'num')
    return different('words', 'words instead of a value');
  return undefined;
}

const isList = (reading: Reading): boolean =>
  reading.node?.k === 'list' && reading.node.items.every((item) => item.k !== 'mul');

/** "Alice and Bob" names the same as "Bob, Alice". */
function sameNames(a: Reading, b: Reading): boolean {
  const names = (words: string): string =>
    words
      .split(/\s*,\s*(?:and\s+)?|\s+and\s+/)
      .sort()
      .join('|');
  if (a.words === undefined || b.words === undefined || /\bor\b/.test(`${a.words} ${b.words}`))
    return false;
  return /,| and /.test(a.words) && names(a.words) === names(b.words);
}

/** "Yes, because ..." says yes. */
function explains(a: Reading, b: Reading): boolean {
  if (a.words === undefined || !/^(?:yes|no|true|false)$/.test(a.words)) return false;
  const first = /^(?:\\text\s*\{)?\s*([a-z]+)\s*[,.;:]/i.exec(b.text)?.[1];
  return (
    first?.toLowerCase() === a.words &&
    !/\b(?:yes|true)\b.*\b(?:no|false)\b|\b(?:no|false)\b.*\b(?:yes|true)\b/i.test(b.text)
  );
}

/** The same words but for what carries no meaning. */
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

const compact = (text: string): string =>
  text
    .replace(/(?<=\d)\s+(?=\d)/g, '_')
    .replace(/\s+|\\[,;:! ]|\\(?:left|right)(?![a-zA-Z])|\$/g, '')
    .replace(/\\[dt]frac/g, '\\frac');

/** Commas are read alike on both sides; a decimal comma only where the reference is no list. */
function byNodes(a: Reading, b: Reading, ctx: Context): Outcome {
  if (a.node && compact(a.text) === compact(b.text)) return equal('same-text');
  const ways: (() => Outcome)[] = [];
  const pair = (x: Node | undefined, y: Node | undefined): void => {
    if (x && y) ways.push(() => compareLogs(x, likeConstant(x, y), ctx));
  };
  pair(a.node, b.node);
  if (a.plain || b.plain) pair(a.plain ?? a.node, b.plain ?? b.node);
  if (b.decimal && a.node && isScalar(a.node) && a.node.k !== 'sym') pair(a.node, b.decimal);
  return firstEqual(ways) ?? different('structure', 'not of the same kind');
}

const CONSTANT_NAMES: ReadonlySet<string> = new Set(['C', 'c', 'K', 'k', 'C_1', 'c_1']);

/** `+ C` and `+ c`: a constant of integration by another name, where it is the only symbol that differs. */
function likeConstant(a: Node, b: Node): Node {
  const [x, y] = [symbols(a), symbols(b)];
  const [own, other] = [
    x.filter((name) => !y.includes(name)),
    y.filter((name) => !x.includes(name)),
  ];
  const constants =
    own.length === 1 && other.length === 1 && own[0] === 'C' && CONSTANT_NAMES.has(other[0]!);
  return constants ? rename(b, other[0]!, 'C') : b;
}

/** `\\log` without a base is natural or decimal: either, but the same on both sides. */
function compareLogs(a: Node, b: Node, ctx: Context): Outcome {
  const natural = compareNodes(a, b, ctx);
  if (natural.result === 'equal' || !(hasBareLog(a) || hasBareLog(b))) return natural;
  const decimal = compareNodes(decimalLogs(a), decimalLogs(b), ctx);
  return decimal.result === 'equal' ? decimal : natural;
}

const isBareLog = (node: Node): boolean =>
  node.k === 'fn' && node.name === 'log' && node.args.length === 1;
const hasBareLog = (node: Node): boolean => some(node, isBareLog);

function decimalLogs(node: Node): Node {
  const inner = mapChildren(node, decimalLogs);
  return inner.k === 'fn' && isBareLog(inner) ? { ...inner, name: 'lg' } : inner;
}

/** Another reading of the commas may prove equality, not cast doubt on the usual one. */
function firstEqual(ways: readonly (() => Outcome)[]): Outcome | undefined {
  let first: Outcome | undefined;
  for (const way of ways) {
    const outcome = way();
    if (outcome.result === 'equal') return outcome;
    first ??= outcome;
  }
  return first;
}

function guarded(
  a: Reading,
  b: Reading,
  outcome: Outcome,
  options: MathOptions,
  question: string | undefined,
): Outcome {
  if (outcome.stage === 'same-text' || outcome.stage === 'words') return outcome;
  if (question !== undefined && b.node && restates(question, a.text, b.text, b.node))
    return different('guard', 'the answer repeats the question');
  if (options.form === 'simplest' && b.node && (hasReducibleForm(b.node) || isUnevaluated(b.node)))
    return different('guard', 'not in simplest form');
  return outcome;
}
