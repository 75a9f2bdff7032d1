/**
 * Reads scalar expressions: sums, products, implicit products, signs, powers and postfix marks.
 * Precedence is that of mathematical writing, not of programs: `1/2x` with two numbers is (1/2)x, `a/bc` is a/(bc), and
 * `\sin 2x + 1` is sin(2x) + 1.
 * The grammar is recursive: expressions contain primaries; these contain brackets, commands and functions; and these
 * contain expressions. So expression, primary, bracket, command and function import each other. It is the only import
 * cycle that this repository allows.
 * Leaves out: brackets and commands (primary.ts), relations and lists (structure.ts).
 */
import type { Node } from '../node.ts';
import { integer } from '../number/rational.ts';
import { type Cursor, eat, isCmd, isOp, MAX_DEPTH, peek, readNested } from './cursor.ts';
import { ReadError } from './lex.ts';
import { FUNCTIONS } from './names.ts';
import { readNumber } from './numeral.ts';
import { isWord, readPrimary, startsPrimary } from './primary.ts';
import { readUnitAfter } from './quantity.ts';

/** Reads a sum with its signs. */
export function readExpression(c: Cursor): Node {
  let left = readFirstTerm(c);
  for (;;) {
    const sign = readSign(c);
    if (sign === undefined) return left;
    const right = readTerm(c);
    left = combine(left, sign, right);
  }
}

type Sign = '+' | '-' | 'pm' | 'mp';

function readSign(c: Cursor): Sign | undefined {
  if (isOp(c, '+') && isOp(c, '/', 1) && isOp(c, '-', 2)) {
    c.at += 3;
    return 'pm';
  }
  if (eat(c, '+')) return '+';
  if (eat(c, '-')) return '-';
  if (eat(c, 'pm')) return 'pm';
  if (eat(c, 'mp')) return 'mp';
  return undefined;
}

function readFirstTerm(c: Cursor): Node {
  const at = c.at;
  const typed = isOp(c, '+') && isOp(c, '-', 1) && !peek(c, 1).space;
  if (typed) c.at += 2;
  const sign = typed ? 'pm' : readSign(c);
  if (sign === 'pm' || sign === 'mp') return { k: 'pm', right: readTerm(c), flip: sign === 'mp' };
  c.at = at;
  return readTerm(c);
}

function combine(left: Node, sign: Sign, right: Node): Node {
  if (sign === 'pm' || sign === 'mp') return { k: 'pm', left, right, flip: sign === 'mp' };
  if (right.k === 'quantity' && left.k !== 'quantity') {
    return { ...right, arg: combine(left, sign, right.arg) };
  }
  const term: Node = sign === '-' ? { k: 'neg', arg: right } : right;
  return left.k === 'add' && !GROUPED.has(left)
    ? { k: 'add', args: [...left.args, term] }
    : { k: 'add', args: [left, term] };
}

/** Nodes that were read from brackets, so that `(a+b)+c` keeps its inner sum. */
const GROUPED = new WeakSet<Node>();
export function markGrouped(node: Node): Node {
  GROUPED.add(node);
  return node;
}

/** Reads factors with their operators. */
function readTerm(c: Cursor): Node {
  let left = readImplicit(c);
  for (;;) {
    if (isTimes(c)) {
      c.at++;
      left = product(left, readImplicit(c), true);
    } else if (isOp(c, '/') || isCmd(c, 'div')) {
      c.at++;
      left = readQuotient(c, left);
    } else if (isCmd(c, 'bmod') || isCmd(c, 'mod') || (peek(c).t === 'id' && peek(c).v === 'mod')) {
      c.at++;
      left = { k: 'fn', name: 'mod', args: [left, readImplicit(c)] };
    } else {
      return left;
    }
  }
}

function isTimes(c: Cursor): boolean {
  return isOp(c, '*') || isCmd(c, 'cdot') || isCmd(c, 'times') || isCmd(c, 'ast');
}

function readQuotient(c: Cursor, left: Node): Node {
  if (!isNumber(left) || peek(c).t !== 'num') return quotientOf(left, readImplicit(c));
  const quotient: Node = { k: 'div', num: left, den: readSignedPower(c) };
  return startsPrimary(c) && !isUnitNext(c)
    ? product(quotient, readImplicit(c), false)
    : readUnitAfter(c, quotient);
}

/** A unit after the divisor belongs to the quotient. */
function quotientOf(num: Node, den: Node): Node {
  return den.k === 'quantity' && num.k !== 'quantity'
    ? { ...den, arg: { k: 'div', num, den: den.arg } }
    : { k: 'div', num, den };
}

function isNumber(node: Node): boolean {
  return node.k === 'num' || (node.k === 'neg' && node.arg.k === 'num');
}

function isUnitNext(c: Cursor): boolean {
  return isWord(c);
}

function product(a: Node, b: Node, explicit: boolean): Node {
  if (b.k === 'quantity' && a.k !== 'quantity') return { ...b, arg: product(a, b.arg, explicit) };
  const left = a.k === 'mul' && !GROUPED.has(a) ? a.args : [a];
  const args = [...left, b];
  return explicit || (a.k === 'mul' && a.explicit)
    ? { k: 'mul', args, explicit: true }
    : { k: 'mul', args };
}

/** Reads adjacent factors and a unit after them. */
function readImplicit(c: Cursor): Node {
  let left = readSignedPower(c);
  while (startsPrimary(c)) {
    const withUnit = readUnitAfter(c, left);
    if (withUnit !== left) return withUnit;
    const mixed = readMixed(c, left);
    if (mixed) left = readPostfix(c, mixed);
    else left = product(left, readFactor(c, left), false);
  }
  return readUnitAfter(c, left);
}

function readFactor(c: Cursor, left: Node): Node {
  if (peek(c).t === 'num' && endsInNumber(left)) {
    throw new ReadError('unexpected', 'two numbers side by side');
  }
  return readPower(c);
}

function endsInNumber(node: Node): boolean {
  if (node.k === 'num') return !GROUPED.has(node);
  return node.k === 'mul' && endsInNumber(node.args.at(-1)!);
}

/** `2\frac{1}{3}` and `2 1/3`: a whole number before a proper fraction of whole numbers. */
function readMixed(c: Cursor, left: Node): Node | undefined {
  const whole = left.k === 'neg' ? left.arg : left;
  if (
    whole.k !== 'num' ||
    whole.decimals !== undefined ||
    whole.value.d !== 1n ||
    GROUPED.has(whole)
  ) {
    return undefined;
  }
  const part =
    isCmd(c, 'frac') || isCmd(c, 'tfrac') || isCmd(c, 'dfrac')
      ? readFractionAhead(c)
      : readPlainFraction(c);
  if (!part) return undefined;
  const mixed: Node = { k: 'mixed', whole, part };
  return left.k === 'neg' ? { k: 'neg', arg: mixed } : mixed;
}

function readFractionAhead(c: Cursor): Node | undefined {
  const at = c.at;
  const copy = c.tokens.slice(at, at + 9).map((t) => ({ ...t }));
  const node = readPrimary(c);
  if (
    node.k === 'div' &&
    isPositiveInteger(node.num) &&
    isPositiveInteger(node.den) &&
    !isOp(c, '^')
  ) {
    return node;
  }
  for (const [i, token] of copy.entries()) c.tokens[at + i] = token;
  c.at = at;
  return undefined;
}

function isPositiveInteger(node: Node): boolean {
  return (
    node.k === 'num' && node.decimals === undefined && node.value.d === 1n && node.value.n > 0n
  );
}

function readPlainFraction(c: Cursor): Node | undefined {
  const [n, slash, d] = [peek(c), peek(c, 1), peek(c, 2)];
  if (n.t !== 'num' || !n.space || slash.v !== '/' || d.t !== 'num') return undefined;
  if (!/^\d+$/.test(n.v) || !/^\d+$/.test(d.v) || BigInt(d.v) === 0n) return undefined;
  c.at += 3;
  return { k: 'div', num: readNumber(n.v), den: readNumber(d.v) };
}

/** Any number of signs, then a power. */
export function readSignedPower(c: Cursor): Node {
  let negative = false;
  while (isOp(c, '-') || isOp(c, '+')) {
    if (isOp(c, '-')) negative = !negative;
    c.at++;
  }
  if (!negative) return readPower(c);
  return negate(readPower(c));
}

/** -50° is minus fifty degrees: the sign goes inside the unit. */
function negate(node: Node): Node {
  return node.k === 'quantity'
    ? { ...node, arg: { k: 'neg', arg: node.arg } }
    : { k: 'neg', arg: node };
}

/** A primary with its postfix marks and exponents; `2^3^2` binds to the right. */
export function readPower(c: Cursor): Node {
  let base = readPostfix(c, readPrimary(c));
  while (isOp(c, '^')) {
    c.at++;
    base = applyExponent(c, base);
    base = readPostfix(c, base);
  }
  return base;
}

function applyExponent(c: Cursor, base: Node): Node {
  if (eat(c, 'circ')) return toDegrees(base);
  const bare = !isOp(c, '{');
  const exponent = readExponent(c);
  if (exponent === 'degree') return toDegrees(base);
  if (exponent === 'prime') return base.k === 'sym' ? { k: 'sym', name: `${base.name}'` } : base;
  if (bare && isOp(c, '^')) {
    c.at++;
    return { k: 'pow', base, exp: readNested(c, () => applyExponent(c, exponent)) };
  }
  return { k: 'pow', base, exp: exponent };
}

function toDegrees(arg: Node): Node {
  return {
    k: 'quantity',
    arg,
    unit: { factor: integer(1), dimensions: { angle: 1 }, label: 'degree' },
  };
}

/** Reads the exponent after `^`: braces, or a sign and one primary. */
export function readExponent(c: Cursor): Node | 'degree' | 'prime' {
  if (isOp(c, '{')) {
    if ((isCmd(c, 'circ', 1) || isWordAt(c, 1, 'o')) && isOp(c, '}', 2)) {
      c.at += 3;
      return 'degree';
    }
    if (isCmd(c, 'prime', 1) && isOp(c, '}', 2)) {
      c.at += 3;
      return 'prime';
    }
    return readBraced(c);
  }
  if (eat(c, 'prime')) return 'prime';
  if (peek(c).t === 'id' && peek(c).v === 'o') {
    c.at++;
    return 'degree';
  }
  const negative = eat(c, '-');
  if (!negative) eat(c, '+');
  splitLetters(c);
  const exponent = readNested(c, () => readPrimary(c));
  return negative ? { k: 'neg', arg: exponent } : exponent;
}

function isWordAt(c: Cursor, ahead: number, v: string): boolean {
  return peek(c, ahead).t === 'id' && peek(c, ahead).v === v;
}

/** `x^ab` is x^a b: of the letters after a bare `^` only the first is the exponent, unless they are a known name. */
function splitLetters(c: Cursor): void {
  const token = peek(c);
  if (
    token.t !== 'id' ||
    token.text ||
    token.v.length < 2 ||
    FUNCTIONS.has(token.v) ||
    token.v === 'pi'
  ) {
    return;
  }
  c.tokens.splice(
    c.at,
    1,
    { ...token, v: token.v[0]! },
    { ...token, v: token.v.slice(1), space: false },
  );
}

/** `{ ... }` as one expression. */
export function readBraced(c: Cursor): Node {
  c.at++;
  const node = readNested(c, () => c.inner(c));
  if (!eat(c, '}')) throw new ReadError('unexpected', 'a brace is not closed');
  return markGrouped(node);
}

/** Reads `!`, `%`, degree and prime signs in a loop, without recursion. */
function readPostfix(c: Cursor, start: Node): Node {
  let node = start;
  for (let i = 0; i <= MAX_DEPTH; i++) {
    if (isOp(c, '!') && !isOp(c, '=', 1)) {
      c.at++;
      node = { k: 'fn', name: isOp(c, '!') ? 'factorial2' : 'factorial', args: [node] };
      if (isOp(c, '!')) c.at++;
    } else if (isOp(c, '%')) {
      c.at++;
      node = { k: 'percent', arg: node };
    } else if (eat(c, 'degree')) node = toDegrees(node);
    else return node;
  }
  throw new ReadError('too-deep', 'too many postfix signs');
}
