/**
 * Reads units after a number: `5 cm`, `10\text{ m/s}^2`, `3 square inches`, `12 apples`. Single letters outside `\text{}` stay
 * symbols here (5m is a product); the comparison reads them as units if the other side has a unit.
 */
import type { Node } from '../node.ts';
import { multiply } from '../number/rational.ts';
import { type Cursor, isCmd, isOp, peek } from './cursor.ts';
import { ReadError } from './lex.ts';
import { CONSTANT_WORDS, FUNCTIONS, GREEK, NUMBER_WORDS, SCALE_WORDS } from './names.ts';
import { findUnit, nounUnit, type Unit, unitPower, unitProduct } from './units.ts';

const FILLERS = new Set([
  'of',
  'the',
  'per',
  'each',
  'total',
  'a',
  'an',
  'in',
  'away',
  'long',
  'tall',
  'old',
  'wide',
  'high',
]);
const SEPARATORS = new Set([
  'and',
  'or',
  'U',
  'if',
  'for',
  'when',
  'where',
  'otherwise',
  'with',
  'mod',
  'to',
  'is',
  'but',
  'not',
]);
const POWERS: Readonly<Record<string, number>> = { square: 2, sq: 2, cubic: 3, cu: 3 };

/** A word that can be a unit, a counted noun or a scale: inside text, or too long for a product. */
export function unitWord(c: Cursor): string | undefined {
  const token = peek(c);
  if (token.t !== 'id' || SEPARATORS.has(token.v)) return undefined;
  if (token.text) return isTextUnit(c, token.v) ? token.v : undefined;
  const word = token.v;
  if (word.length < 2 || FUNCTIONS.has(word) || CONSTANT_WORDS.has(word) || GREEK.has(word)) {
    return undefined;
  }
  if (findUnit(word, true) && !isAmbiguous(word)) return word;
  return word.length >= 4 && /[aeiouy]/.test(word) ? word : undefined;
}

/** `\\text{min}` is a unit unless an argument follows; other function names are not units. */
function isTextUnit(c: Cursor, word: string): boolean {
  const unit = findUnit(word, true) !== undefined;
  if (FUNCTIONS.has(word)) {
    return unit && !isOp(c, '(', 1) && !isOp(c, '\\{', 1) && !isOp(c, '_', 1);
  }
  return word.length > 1 || unit;
}

/** Letters that, without `\text`, are more likely a product of variables than a unit. */
function isAmbiguous(word: string): boolean {
  return ['ha', 'mi', 'deg', 'rev', 'qt', 'gm'].includes(word);
}

/** The node with the unit that follows it, or the node itself. */
export function readUnitAfter(c: Cursor, node: Node): Node {
  if (isOp(c, '$') || isOp(c, '€') || isOp(c, '£')) {
    c.at++;
    return readUnitAfter(c, node);
  }
  const word = unitWord(c);
  if (word === undefined || !isAmount(c, node)) return node;
  if (/^percent(age)?$/i.test(word)) {
    c.at++;
    return { k: 'percent', arg: node };
  }
  const scale = SCALE_WORDS.get(word.toLowerCase());
  if (scale !== undefined) {
    c.at++;
    return readUnitAfter(c, scaled(node, scale));
  }
  if (NUMBER_WORDS.has(word) || /^(pi|e|i)$/.test(word)) return node;
  const unit = readUnit(c);
  return unit ? { k: 'quantity', arg: node, unit } : node;
}

function scaled(node: Node, scale: bigint): Node {
  return node.k === 'num'
    ? { k: 'num', value: multiply(node.value, { n: scale, d: 1n }) }
    : { k: 'mul', args: [node, { k: 'num', value: { n: scale, d: 1n } }] };
}

/** Whether a node can have a unit: `x` followed by words is a symbol followed by prose. */
function isAmount(c: Cursor, node: Node): boolean {
  if (node.k === 'quantity' || node.k === 'words') return false;
  return node.k !== 'sym' || (node.name.length === 1 && (peek(c).space || peek(c).text));
}

/** More words than this after a number are prose. */
const MAX_UNIT_WORDS = 8;

/** A product of unit words with powers and `/` or `per`; other words become one counted noun. */
function readUnit(c: Cursor): Unit | undefined {
  let unit: Unit | undefined;
  const nouns: string[] = [];
  let sign = 1;
  let words = 0;
  for (let word = unitWord(c); word !== undefined; word = nextWord(c, sign)) {
    if (++words > MAX_UNIT_WORDS) throw new ReadError('too-long', 'too many words after a number');
    const part = readUnitFactor(c, word);
    if (!part) {
      c.at++;
      if (!FILLERS.has(word)) nouns.push(word);
      if (word === 'per') sign = -1;
    } else if (!(word === 'in' && unit)) {
      unit = unit ? unitProduct(unit, unitPower(part, sign)) : unitPower(part, sign);
      sign = 1;
    }
    sign = skipDivision(c) ? -1 : sign;
    if (isOp(c, '.') || isCmd(c, 'cdot')) c.at++;
  }
  if (unit) return unit;
  return nouns.length > 0 ? nounUnit(nouns.join(' ')) : undefined;
}

/** After a division one letter is enough: `km/h`. */
function nextWord(c: Cursor, sign: number): string | undefined {
  const token = peek(c);
  const symbol = sign < 0 && token.t === 'id' && findUnit(token.v, true) !== undefined;
  const filler = token.t === 'id' && (token.v === 'per' || token.v === 'old');
  return symbol || filler ? token.v : unitWord(c);
}

function skipDivision(c: Cursor): boolean {
  if (!isOp(c, '/')) return false;
  const next = peek(c, 1);
  if (next.t !== 'id') return false;
  c.at++;
  return true;
}

function readUnitFactor(c: Cursor, word: string): Unit | undefined {
  const prefixed = POWERS[word.toLowerCase()];
  const named = prefixed === undefined ? word : peek(c, 1).t === 'id' ? peek(c, 1).v : '';
  const unit = findUnit(named, true);
  if (!unit) return undefined;
  c.at += prefixed === undefined ? 1 : 2;
  const power = readUnitPower(c);
  return unitPower(unit, (prefixed ?? 1) * power);
}

/** `^2`, `^{2}`, or the words squared and cubed. */
function readUnitPower(c: Cursor): number {
  if (peek(c).t === 'id' && (peek(c).v === 'squared' || peek(c).v === 'cubed')) {
    const squared = peek(c).v === 'squared';
    c.at++;
    return squared ? 2 : 3;
  }
  if (!isOp(c, '^')) return 1;
  const braced = isOp(c, '{', 1);
  const at = braced ? 2 : 1;
  const negative = isOp(c, '-', at) ? 1 : 0;
  const digits = peek(c, at + negative);
  if (digits.t !== 'num' || !/^[1-9]$/.test(digits.v)) return 1;
  c.at += at + negative + 1 + (braced ? 1 : 0);
  return Number(digits.v) * (negative ? -1 : 1);
}
