/**
 * Reads the parts of an expression: numbers, symbols, constants, brackets, money, absolute values.
 */
import type { Node } from '../node.ts';
import { readBracketed } from './bracket.ts';
import { COMMANDS } from './command.ts';
import { type Cursor, eat, expect, isOp, peek, readNested } from './cursor.ts';
import { determinant } from './environment.ts';
import { readSignedPower } from './expression.ts';
import { readFunction } from './function.ts';
import { ReadError, type Token } from './lex.ts';
import { CONSTANT_WORDS, FUNCTIONS, GREEK, NUMBER_WORDS } from './names.ts';
import { readNumber, readNumeral } from './numeral.ts';
import { unitWord } from './quantity.ts';
import { CURRENCY_SIGNS, findUnit } from './units.ts';

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

/** Whether a separator word, or one that can only be prose, comes next: it ends a product. */
export function isWord(c: Cursor): boolean {
  const token = peek(c);
  return token.t === 'id' && (unitWord(c) !== undefined || isSeparatorWord(c));
}

/** Whether `U` between brackets comes next: a union sign. */
function isSeparatorWord(c: Cursor): boolean {
  const token = peek(c);
  if (token.v === 'U') return isOp(c, '(', 1) || isOp(c, '[', 1) || isOp(c, '\\{', 1);
  return SEPARATOR_WORDS.has(token.v);
}

/** Whether the next token can start a factor of an implicit product. */
export function startsPrimary(c: Cursor): boolean {
  const token = peek(c);
  if (token.t === 'num') return true;
  if (token.t === 'id') {
    return (
      !isSeparatorWord(c) && token.v !== 'mod' && !(token.v === 'to' && peek(c, 1).t === 'num')
    );
  }
  if (token.t === 'cmd') {
    return ATOM_COMMANDS.has(token.v) || FUNCTIONS.has(token.v) || GREEK.has(token.v);
  }
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
  throw new ReadError('unexpected', 'the answer ends too early');
}

function readSignPrimary(c: Cursor, v: string): Node {
  if (v === '|' || v === '||') return readBars(c, v);
  if (v === '...') return advance(c, { k: 'words', text: '...' });
  if (v in CURRENCY_SIGNS) return readMoney(c, v);
  if (v === '-' || v === '+') return readNested(c, () => readSignedPower(c));
  return readBracketed(c);
}

/** A currency sign before its amount. */
function readMoney(c: Cursor, sign: string): Node {
  c.at++;
  const unit = findUnit(CURRENCY_SIGNS[sign]!, true)!;
  const arg = readNested(c, () => readSignedPower(c));
  return arg.k === 'quantity' ? arg : { k: 'quantity', arg, unit };
}

function readBars(c: Cursor, sign: string): Node {
  c.at++;
  const arg = readNested(c, () => {
    c.bars = 1;
    return c.inner(c);
  });
  if (!eat(c, sign)) throw new ReadError('unexpected', 'a bar is not closed');
  return arg.k === 'matrix' ? determinant(arg.rows) : { k: 'fn', name: 'abs', args: [arg] };
}

/** Longer runs of letters are not products of symbols. Splitting them would take quadratic time. */
const MAX_LETTERS = 60;

/** Reads a run of letters: a known name, a word, or its first letter as a symbol. */
function readIdentifier(c: Cursor, token: Token): Node {
  const name = token.v;
  if (name.length > MAX_LETTERS) throw new ReadError('too-long', 'a run of too many letters');
  const constant = CONSTANT_WORDS.get(name);
  if (constant) return advance(c, { k: 'const', name: constant });
  if (FUNCTIONS.has(name)) return readFunction(c, FUNCTIONS.get(name)!);
  if (GREEK.has(name)) return advance(c, withSubscript(c, name));
  const count = NUMBER_WORDS.get(name.toLowerCase());
  if (count !== undefined) return advance(c, readNumber(String(count)));
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

/** `xsin`, `xy`, `sinx`: the first part of the run becomes a token; the rest is read next. */
export function splitAt(c: Cursor, token: Token, length: number): void {
  const [head, rest] = [token.v.slice(0, length), token.v.slice(length)];
  c.tokens.splice(c.at, 1, { ...token, v: head }, { ...token, v: rest, space: false });
}

/** `C_5^2` and `A_5^2`: combinations and permutations, if both indices are numbers. */
function readCombination(c: Cursor, letter: string): Node | undefined {
  const unbraced = c.tokens.slice(c.at + 1, c.at + 9).filter((t) => t.v !== '{' && t.v !== '}');
  const [under, n, over, k] = unbraced;
  if (under?.v !== '_' || n?.t !== 'num' || over?.v !== '^' || k?.t !== 'num') return undefined;
  for (let wanted = 4; wanted > 0; c.at++) if (!/[{}]/.test(peek(c, 1).v)) wanted--;
  c.at++;
  eat(c, '}');
  return combinations(letter, n.v, k.v);
}

/** `C(5, 2)` and `P(5, 2)` of two numbers. */
function readChoose(c: Cursor, letter: string): Node | undefined {
  const [open, n, comma, k, close] = c.tokens.slice(c.at + 1, c.at + 6);
  if (open?.v !== '(' || n?.t !== 'num' || comma?.v !== ',' || k?.t !== 'num' || close?.v !== ')') {
    return undefined;
  }
  c.at += 6;
  return combinations(letter, n.v, k.v);
}

function combinations(letter: string, n: string, k: string): Node {
  const choose: Node = { k: 'fn', name: 'binom', args: [readNumber(n), readNumber(k)] };
  return letter === 'C'
    ? choose
    : { k: 'mul', args: [choose, { k: 'fn', name: 'factorial', args: [readNumber(k)] }] };
}

function readLetter(c: Cursor, letter: string): Node {
  const combination = /^[ACP]$/.test(letter)
    ? (readCombination(c, letter) ?? readChoose(c, letter))
    : undefined;
  if (combination) return combination;
  if (letter === 'e' && !isOp(c, '_', 1)) return advance(c, { k: 'const', name: 'e' });
  if (letter === 'i' && !isOp(c, '_', 1)) return advance(c, { k: 'const', name: 'i' });
  return advance(c, withSubscript(c, letter));
}

/** Reads primes and subscripts, which belong to the name. Leaves the cursor on the last token used. */
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
  return readNested(c, () => reader(c));
}
