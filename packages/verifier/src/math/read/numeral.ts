/**
 * Reads numbers: digits, decimals with a repeating part, digits in another base.
 * Leaves out: separators between digits (lex.ts), signs and fractions (expression.ts).
 */
import type { Node } from '../node.ts';
import { add, fromDecimal, ratio } from '../number/rational.ts';
import { type Cursor, describeToken, eat, expect, isCmd, isOp, peek } from './cursor.ts';
import { ReadError, type Token } from './lex.ts';

/** Reads digits, with a repeating part or a base after them. */
export function readNumeral(c: Cursor, token: Token): Node {
  c.at++;
  const repeating = token.v.includes('.') ? readRepetend(c, token.v) : undefined;
  if (repeating) return repeating;
  if (isOp(c, '_')) return readBase(c, token.v);
  return readNumber(token.v);
}

function readRepetend(c: Cursor, shown: string): Node | undefined {
  if (isCmd(c, 'overline') || isCmd(c, 'bar') || isCmd(c, 'dot')) {
    const single = isCmd(c, 'dot');
    const digits = isOp(c, '{', 1) ? peek(c, 2) : peek(c, 1);
    if (digits.t !== 'num' || !/^\d+$/.test(digits.v)) return undefined;
    c.at += isOp(c, '{', 1) ? 4 : 2;
    return repeat(shown, single ? digits.v.slice(0, 1) : digits.v);
  }
  if (isOp(c, '(') && !peek(c).space && /^0?\.\d*$|\.$/.test(shown)) {
    const digits = peek(c, 1);
    if (digits.t !== 'num' || !/^\d+$/.test(digits.v) || !isOp(c, ')', 2)) return undefined;
    c.at += 3;
    return repeat(shown, digits.v);
  }
  const dots = isOp(c, '...') || isCmd(c, 'ldots') || isCmd(c, 'dots') || isCmd(c, 'cdots');
  const tail = dots ? /(\d{1,6}?)\1{2,}$/.exec(shown.split('.')[1] ?? '') : null;
  if (!tail) return undefined;
  c.at++;
  return repeat(shown.slice(0, shown.length - tail[0].length), tail[1]!);
}

/** 0.1 with repetend 6 is 1/10 + 6/90. */
function repeat(shown: string, repetend: string): Node {
  const places = BigInt((shown.split('.')[1] ?? '').length);
  const tail = ratio(BigInt(repetend), (10n ** BigInt(repetend.length) - 1n) * 10n ** places);
  return { k: 'num', value: add(fromDecimal(shown), tail) };
}

function readBase(c: Cursor, digits: string): Node {
  c.at++;
  const braced = eat(c, '{');
  if (braced && peek(c).t === 'id') eatWord(c);
  const base = peek(c);
  c.at++;
  if (braced) expect(c, '}');
  const value = base.t === 'num' && /^\d{1,2}$/.test(base.v) ? Number(base.v) : baseWord(base.v);
  if (value < 2 || value > 36) {
    throw new ReadError('unexpected', `cannot read the subscript ${describeToken(base)}`);
  }
  return { k: 'based', digits: digits.replace(/^0+(?=\d)/, ''), base: value };
}

function eatWord(c: Cursor): void {
  if (peek(c).v === 'base') c.at++;
}

function baseWord(word: string): number {
  return (
    {
      two: 2,
      three: 3,
      four: 4,
      five: 5,
      six: 6,
      seven: 7,
      eight: 8,
      nine: 9,
      ten: 10,
      twelve: 12,
      sixteen: 16,
    }[word] ?? 0
  );
}

/** The number that a digit string denotes. */
export function readNumber(text: string): Node {
  const value = fromDecimal(text);
  const mantissa = text.split(/[eE]/)[0]!;
  const point = mantissa.indexOf('.');
  const digits = mantissa.replace('.', '').replace(/^0+/, '').length;
  if (point < 0 || /[eE]/.test(text)) return { k: 'num', value, ...(point < 0 ? {} : { digits }) };
  return { k: 'num', value, decimals: mantissa.length - point - 1, digits };
}
