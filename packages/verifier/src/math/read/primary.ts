/**
 * Atoms: numbers, symbols, constants, brackets, commands with arguments, functions.
 * Unknown commands are refused, never guessed. Environments are in environment.ts.
 */

import type { Node, NumberSet } from '../node.ts';
import { add, fromDecimal, ratio } from '../number/rational.ts';
import { readBracketed } from './bracket.ts';
import { type Cursor, describe, eat, expect, isCmd, isOp, nested, peek } from './cursor.ts';
import { determinant, readEnvironment } from './environment.ts';
import { number, readBraced, readExponent, readPower, readSignedPower } from './expression.ts';
import { ReadError, type Token } from './lex.ts';
import { CONSTANT_WORDS, FUNCTIONS, GREEK, MANY_ARGUMENTS, NUMBER_WORDS } from './names.ts';
import { unitWord } from './quantity.ts';
import { CURRENCY_SIGNS, findUnit } from './units.ts';

const NUMBER_SETS: ReadonlySet<string> = new Set(['R', 'Z', 'N', 'Q', 'C']);
const OPENERS: ReadonlySet<string> = new Set(['(', '[', '{', '\\{']);
const ATOM_COMMANDS: ReadonlySet<string> = new Set([
  'frac',
  'dfrac',
  'tfrac',
  'cfrac',
  'sqrt',
  'binom',
  'dbinom',
  'tbinom',
  'pi',
  'infty',
  'emptyset',
  'varnothing',
  'mathbb',
  'lfloor',
  'lceil',
  'langle',
  'begin',
  'overline',
  'bar',
  'angle',
  'triangle',
  'vec',
  'hat',
  'tilde',
  'overrightarrow',
  'widehat',
  'sum',
  'prod',
  'ldots',
  'dots',
  'cdots',
  'partial',
]);
const SEPARATOR_WORDS = new Set([
  'and',
  'or',
  'if',
  'for',
  'when',
  'where',
  'otherwise',
  'U',
  'with',
  'but',
]);

/** A separator word, or one that can only be prose: it ends a product. */
export const isWord = (c: Cursor): boolean => {
  const token = peek(c);
  return token.t === 'id' && (unitWord(c) !== undefined || isSeparatorWord(c));
};

/** `U` between brackets is a union sign. */
function isSeparatorWord(c: Cursor): boolean {
  const token = peek(c);
  if (token.v === 'U') return isOp(c, '(', 1) || isOp(c, '[', 1) || isOp(c, '\\{', 1);
  return SEPARATOR_WORDS.has(token.v);
}

/** Can the next token begin a factor of an implicit product? */
export function startsPrimary(c: Cursor): boolean {
  const token = peek(c);
  if (token.t === 'num') return true;
  if (token.t === 'id') return !isSeparatorWord(c) && token.v !== 'mod';
  if (token.t === 'cmd')
    return ATOM_COMMANDS.has(token.v) || FUNCTIONS.has(token.v) || GREEK.has(token.v);
  if (token.v === '|') return c.bars === 0 && !c.builder && peek(c, 1).t !== 'end';
  if (token.v === '(' && peek(c, 1).v === 'mod') return false;
  return OPENERS.has(token.v) || token.v === '||';
}

export function readPrimary(c: Cursor): Node {
  const token = peek(c);
  if (token.t === 'num') return readNumeral(c, token);
  if (token.t === 'id') return readIdentifier(c, token);
  if (token.t === 'cmd') return readCommand(c, token.v);
  if (token.t === 'op') return readSignPrimary(c, token.v);
  throw new ReadError('unexpected', 'something is missing at the end');
}

function readSignPrimary(c: Cursor, v: string): Node {
  if (v === '|' || v === '||') return readBars(c, v);
  if (v in CURRENCY_SIGNS) return readMoney(c, v);
  if (v === '-' || v === '+') return nested(c, () => readSignedPower(c));
  return readBracketed(c);
}

/** A currency sign before its amount. */
function readMoney(c: Cursor, sign: string): Node {
  c.at++;
  const unit = findUnit(CURRENCY_SIGNS[sign]!, true)!;
  const arg = nested(c, () => readSignedPower(c));
  return arg.k === 'quantity' ? arg : { k: 'quantity', arg, unit };
}

function readBars(c: Cursor, sign: string): Node {
  c.at++;
  const arg = nested(c, () => {
    c.bars = 1;
    return c.inner(c);
  });
  if (!eat(c, sign)) throw new ReadError('unexpected', 'a bar is not closed');
  return arg.k === 'matrix' ? determinant(arg.rows) : { k: 'fn', name: 'abs', args: [arg] };
}

/** Digits, with a repeating part or a base behind them. */
function readNumeral(c: Cursor, token: Token): Node {
  c.at++;
  const repeating = token.v.includes('.') ? readRepetend(c, token.v) : undefined;
  if (repeating) return repeating;
  if (isOp(c, '_')) return readBase(c, token.v);
  return number(token.v);
}

function readRepetend(c: Cursor, shown: string): Node | undefined {
  if (isCmd(c, 'overline') || isCmd(c, 'bar') || isCmd(c, 'dot')) {
    const single = isCmd(c, 'dot');
    const digits = isOp(c, '{', 1) ? peek(c, 2) : peek(c, 1);
    if (digits.t !== 'num' || !/^\d+$/.test(digits.v)) return undefined;
    c.at += isOp(c, '{', 1) ? 4 : 2;
    return repeat(shown, single ? digits.v.slice(0, 1) : digits.v);
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
  if (value < 2 || value > 36)
    throw new ReadError('unexpected', `cannot read the subscript ${describe(base)}`);
  return { k: 'based', digits: digits.replace(/^0+(?=\d)/, ''), base: value };
}

function eatWord(c: Cursor): void {
  if (peek(c).v === 'base') c.at++;
}

const baseWord = (word: string): number =>
  ({
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
  })[word] ?? 0;

/** A run of letters: a name that we know, a word, or its first letter as a symbol. */
function readIdentifier(c: Cursor, token: Token): Node {
  const name = token.v;
  const constant = CONSTANT_WORDS.get(name);
  if (constant) return advance(c, { k: 'const', name: constant });
  if (FUNCTIONS.has(name)) return readFunction(c, FUNCTIONS.get(name)!);
  if (GREEK.has(name)) return advance(c, withSubscript(c, name));
  const count = NUMBER_WORDS.get(name.toLowerCase());
  if (count !== undefined) return advance(c, number(String(count)));
  if (token.text && name.length > 1) return advance(c, { k: 'words', text: name });
  const prefix = /^(?:arc(?:sin|cos|tan)|sinh?|cosh?|tanh?|log|ln|sqrt|sec|csc|cot|exp)(?=.$)/.exec(
    name,
  )?.[0];
  if (prefix) splitAt(c, token, prefix.length);
  if (prefix) return readFunction(c, FUNCTIONS.get(prefix)!);
  if (name.length > 1) splitAt(c, token, 1);
  return readLetter(c, name[0]!);
}

function advance<T>(c: Cursor, node: T): T {
  c.at++;
  return node;
}

/** `xsin`, `xy`, `sinx`: the head of the run becomes a token of its own, the rest is looked at next. */
function splitAt(c: Cursor, token: Token, length: number): void {
  const [head, rest] = [token.v.slice(0, length), token.v.slice(length)];
  c.tokens.splice(c.at, 1, { ...token, v: head }, { ...token, v: rest, space: false });
}

/** `C_5^2` and `A_5^2`: combinations and permutations, where both indices are numbers. */
function readCombination(c: Cursor, letter: string): Node | undefined {
  const unbraced = c.tokens.slice(c.at + 1, c.at + 9).filter((t) => t.v !== '{' && t.v !== '}');
  const [under, n, over, k] = unbraced;
  if (under?.v !== '_' || n?.t !== 'num' || over?.v !== '^' || k?.t !== 'num') return undefined;
  for (let wanted = 4; wanted > 0; c.at++) if (!/[{}]/.test(peek(c, 1).v)) wanted--;
  c.at++;
  eat(c, '}');
  const choose: Node = { k: 'fn', name: 'binom', args: [number(n.v), number(k.v)] };
  if (letter === 'C') return choose;
  return { k: 'mul', args: [choose, { k: 'fn', name: 'factorial', args: [number(k.v)] }] };
}

function readLetter(c: Cursor, letter: string): Node {
  const combination = letter === 'C' || letter === 'A' ? readCombination(c, letter) : undefined;
  if (combination) return combination;
  if (letter === 'e' && !isOp(c, '_', 1)) return advance(c, { k: 'const', name: 'e' });
  if (letter === 'i' && !isOp(c, '_', 1)) return advance(c, { k: 'const', name: 'i' });
  return advance(c, withSubscript(c, letter));
}

/** Primes and subscripts belong to the name. Leaves the cursor on the last token that it used. */
function withSubscript(c: Cursor, letter: string): Node {
  let name = letter;
  c.at++;
  while (eat(c, "'")) name += "'";
  if (isOp(c, '_')) name += `_${readSubscript(c)}`;
  c.at--;
  return { k: 'sym', name };
}

function readSubscript(c: Cursor): string {
  c.at++;
  const braced = eat(c, '{');
  let text = '';
  do {
    const token = peek(c);
    if (token.t === 'end' || (braced && token.v === '}')) break;
    text += token.v;
    c.at++;
  } while (braced);
  if (braced) expect(c, '}');
  return text;
}

function readCommand(c: Cursor, name: string): Node {
  const constant = CONSTANT_WORDS.get(name);
  if (constant) return advance(c, { k: 'const', name: constant });
  if (name === 'langle') return readBracketed(c);
  if (FUNCTIONS.has(name) && name !== 'sqrt') return readFunction(c, FUNCTIONS.get(name)!);
  if (GREEK.has(name)) return advance(c, withSubscript(c, name));
  const reader = COMMANDS[name];
  if (!reader) throw new ReadError('unknown-command', `cannot read \\${name}`);
  c.at++;
  return nested(c, () => reader(c));
}

/** A macro's argument: a braced group, or one token, of a number its first digit. */
export function readArgument(c: Cursor): Node {
  if (isOp(c, '{')) return readBraced(c);
  const token = peek(c);
  if (token.t === 'num' && token.v.length > 1 && /^\d/.test(token.v)) {
    c.tokens.splice(
      c.at,
      1,
      { ...token, v: token.v[0]! },
      { ...token, v: token.v.slice(1), space: false },
    );
  } else if (token.t === 'id' && token.v.length > 1 && !CONSTANT_WORDS.has(token.v))
    splitAt(c, token, 1);
  const negative = eat(c, '-');
  const node = readPrimary(c);
  return negative ? { k: 'neg', arg: node } : node;
}

const readFraction = (c: Cursor): Node => ({
  k: 'div',
  num: readArgument(c),
  den: readArgument(c),
});
const readBinomial = (c: Cursor): Node => ({
  k: 'fn',
  name: 'binom',
  args: [readArgument(c), readArgument(c)],
});

/** `\sqrt[3]{8}`, `\sqrt8`, `\sqrt{8}`; a number without braces is taken whole: nobody writes \sqrt12 for (root of 1) 2. */
function readRoot(c: Cursor): Node {
  if (isOp(c, '[')) {
    c.at++;
    const index = nested(c, () => c.inner(c));
    expect(c, ']');
    return { k: 'fn', name: 'root', args: [readRadicand(c), index] };
  }
  return { k: 'fn', name: 'sqrt', args: [readRadicand(c)] };
}

function readRadicand(c: Cursor): Node {
  if (isOp(c, '{')) return readBraced(c);
  return peek(c).t === 'num' || isOp(c, '(') ? readPrimary(c) : readArgument(c);
}

function between(open: string, close: string, name: string): (c: Cursor) => Node {
  return (c) => {
    const arg = c.inner(c);
    if (!eat(c, close)) throw new ReadError('unexpected', `\\${open} is not closed`);
    return { k: 'fn', name, args: [arg] };
  };
}

/** `\mathbb{R}`, also with `^+` or `^n`, which is kept as the name of the power. */
function readNumberSet(c: Cursor): Node {
  const braced = eat(c, '{');
  const name = peek(c).v;
  c.at++;
  if (braced) expect(c, '}');
  if (!NUMBER_SETS.has(name))
    throw new ReadError('unknown-command', `cannot read \\mathbb{${name}}`);
  return { k: 'numberset', name: name as NumberSet };
}

/** Marks over letters, `\overline{AB}`, `\vec v`: part of the name. A bar over digits alone repeats them. */
function decorated(mark: string): (c: Cursor) => Node {
  return (c) => {
    const inner = isOp(c, '{') ? readBraced(c) : readPrimary(c);
    return { k: 'fn', name: mark, args: [inner] };
  };
}

/** `\angle ABC`, `\triangle ABC`: the letters that follow are its name. */
function named(prefix: string): (c: Cursor) => Node {
  return (c) => {
    let name = prefix;
    for (; peek(c).t === 'id' && /^[A-Z]+$/.test(peek(c).v); c.at++) name += peek(c).v;
    return { k: 'sym', name };
  };
}

function readFold(op: 'sum' | 'prod'): (c: Cursor) => Node {
  return (c) => {
    expect(c, '_');
    expect(c, '{');
    const index = peek(c);
    c.at++;
    expect(c, '=');
    const from = c.inner(c);
    expect(c, '}');
    expect(c, '^');
    const to = isOp(c, '{') ? readBraced(c) : readPrimary(c);
    const body = readFunctionArgument(c);
    if (index.t !== 'id') throw new ReadError('unexpected', 'a sum without an index');
    return { k: 'fold', op, index: index.v, from, to, body };
  };
}

function readDots(): Node {
  return { k: 'words', text: '...' };
}

const COMMANDS: Readonly<Record<string, (c: Cursor) => Node>> = {
  frac: readFraction,
  dfrac: readFraction,
  tfrac: readFraction,
  cfrac: readFraction,
  binom: readBinomial,
  dbinom: readBinomial,
  tbinom: readBinomial,
  sqrt: readRoot,
  emptyset: () => ({ k: 'set', items: [] }),
  varnothing: () => ({ k: 'set', items: [] }),
  mathbb: readNumberSet,
  lfloor: between('lfloor', 'rfloor', 'floor'),
  lceil: between('lceil', 'rceil', 'ceil'),
  begin: readEnvironment,
  overline: decorated('overline'),
  bar: decorated('overline'),
  vec: decorated('vec'),
  overrightarrow: decorated('vec'),
  hat: decorated('hat'),
  widehat: decorated('hat'),
  tilde: decorated('tilde'),
  angle: named('angle'),
  triangle: named('triangle'),
  sum: readFold('sum'),
  prod: readFold('prod'),
  ldots: readDots,
  dots: readDots,
  cdots: readDots,
  partial: () => ({ k: 'sym', name: 'partial' }),
};

/** A function with its power (`\sin^2 x`), base (`\log_2 8`) and argument. */
function readFunction(c: Cursor, name: string): Node {
  c.at++;
  if (name === 'sqrt' && (isOp(c, '[') || isOp(c, '{'))) return nested(c, () => readRoot(c));
  let base: Node | undefined;
  let exponent: Node | 'degree' | 'prime' | undefined;
  for (let i = 0; i < 2; i++) {
    if (eat(c, '_')) base = nested(c, () => (isOp(c, '{') ? readBraced(c) : readPrimary(c)));
    else if (eat(c, '^')) exponent = readExponent(c);
  }
  const args = nested(c, () => readArguments(c, name));
  return raise({ k: 'fn', name, args: base ? [...args, base] : args }, exponent);
}

/** `\sin^{-1}` is the inverse function, every other exponent a power. */
function raise(fn: Node, exponent: Node | 'degree' | 'prime' | undefined): Node {
  if (exponent === undefined || typeof exponent === 'string') return fn;
  const inverse =
    exponent.k === 'neg' &&
    exponent.arg.k === 'num' &&
    exponent.arg.value.n === 1n &&
    exponent.arg.value.d === 1n;
  if (inverse && fn.k === 'fn' && /^(sin|cos|tan|cot|sec|csc|sinh|cosh|tanh)$/.test(fn.name))
    return { ...fn, name: `a${fn.name}` };
  return { k: 'pow', base: fn, exp: exponent };
}

function readArguments(c: Cursor, name: string): readonly Node[] {
  const inner = readFunctionArgument(c);
  if (!MANY_ARGUMENTS.has(name)) return [inner];
  return inner.k === 'group' || inner.k === 'list' ? inner.items : [inner];
}

/** Brackets alone where they follow at once, else the factors up to the next sign, function or explicit operator. */
export function readFunctionArgument(c: Cursor): Node {
  if (isOp(c, '(') || isOp(c, '{') || isOp(c, '[')) {
    return readPrimary(c);
  }
  let left = readSignedPower(c);
  while (startsPrimary(c) && !startsFunction(peek(c)) && !isOp(c, '(') && !isWord(c)) {
    left = {
      k: 'mul',
      args: left.k === 'mul' ? [...left.args, readPower(c)] : [left, readPower(c)],
    };
  }
  if (isOp(c, '/') && peek(c, 1).t === 'num') {
    c.at++;
    left = { k: 'div', num: left, den: readPower(c) };
  }
  return left;
}

const startsFunction = (token: Token): boolean =>
  (token.t === 'id' || token.t === 'cmd') && FUNCTIONS.has(token.v);
