/**
 * Reads LaTeX commands with arguments: fractions, roots, binomials, sums, accents, floors.
 * Unknown commands are an error, never a guess.
 */
import { mapChildren, type Node, type NumberSet } from '../node.ts';
import { type Cursor, eat, expect, isOp, peek, readNested } from './cursor.ts';
import { readEnvironment } from './environment.ts';
import { readBraced } from './expression.ts';
import { readFunctionArgument } from './function.ts';
import { ReadError } from './lex.ts';
import { CONSTANT_WORDS } from './names.ts';
import { readPrimary, splitAt } from './primary.ts';

const NUMBER_SETS: ReadonlySet<string> = new Set(['R', 'Z', 'N', 'Q', 'C']);

/** The argument of a macro: a braced group, or one token; of a number only its first digit. */
function readArgument(c: Cursor): Node {
  if (isOp(c, '{')) return readBraced(c);
  const token = peek(c);
  if (token.t === 'num' && token.v.length > 1 && /^\d/.test(token.v)) {
    c.tokens.splice(
      c.at,
      1,
      { ...token, v: token.v[0]! },
      { ...token, v: token.v.slice(1), space: false },
    );
  } else if (token.t === 'id' && token.v.length > 1 && !CONSTANT_WORDS.has(token.v)) {
    splitAt(c, token, 1);
  }
  const negative = eat(c, '-');
  const node = readPrimary(c);
  return negative ? { k: 'neg', arg: node } : node;
}

function readFraction(c: Cursor): Node {
  return {
    k: 'div',
    num: readArgument(c),
    den: readArgument(c),
  };
}

function readBinomial(c: Cursor): Node {
  return {
    k: 'fn',
    name: 'binom',
    args: [readArgument(c), readArgument(c)],
  };
}

/** `\sqrt[3]{8}`, `\sqrt8`, `\sqrt{8}`. A number without braces is read as a whole: \sqrt12 means the root of 12. */
export function readRoot(c: Cursor): Node {
  if (isOp(c, '[')) {
    c.at++;
    const index = readNested(c, () => c.inner(c));
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

/** `\mathbb{R}`, also with `^+` or `^n`, which become part of the name. */
function readNumberSet(c: Cursor): Node {
  const braced = eat(c, '{');
  const name = peek(c).v;
  c.at++;
  if (braced) expect(c, '}');
  if (!NUMBER_SETS.has(name)) {
    throw new ReadError('unknown-command', `cannot read \\mathbb{${name}}`);
  }
  return restricted(name as NumberSet, readMark(c));
}

/** The `+`, `-` or `*` of `\\mathbb{R}^+`, `\\mathbb{N}_{+}`. */
function readMark(c: Cursor): string | undefined {
  const braced = isOp(c, '{', 1);
  const mark = peek(c, braced ? 2 : 1).v;
  if (!(isOp(c, '^') || isOp(c, '_')) || !/^(?:[-+*]|ast|star)$/.test(mark)) return undefined;
  c.at += braced ? 4 : 2;
  return mark;
}

const INFINITY: Node = { k: 'const', name: 'infinity' };
const ZERO_NODE: Node = { k: 'num', value: { n: 0n, d: 1n } };

function restricted(name: NumberSet, mark: string | undefined): Node {
  if (mark === undefined) return { k: 'numberset', name };
  if (name === 'R' && mark === '+') {
    return { k: 'group', open: '(', close: ')', items: [ZERO_NODE, INFINITY] };
  }
  if (name === 'R' && mark === '-') {
    return { k: 'group', open: '(', close: ')', items: [{ k: 'neg', arg: INFINITY }, ZERO_NODE] };
  }
  if (mark === '-') throw new ReadError('unknown-command', `cannot read \\mathbb{${name}}^-`);
  if (name === 'N' || (name === 'Z' && mark === '+')) return { k: 'numberset', name: 'Z+' };
  return {
    k: 'setop',
    op: 'minus',
    args: [
      { k: 'numberset', name },
      { k: 'set', items: [ZERO_NODE] },
    ],
  };
}

/** Accents such as `\overline{AB}` and `\vec v` are part of the name. A bar over digits makes them repeat. */
function decorated(mark: string): (c: Cursor) => Node {
  return (c) => {
    const inner = isOp(c, '{') ? readBraced(c) : readPrimary(c);
    return { k: 'fn', name: mark, args: [inner] };
  };
}

/** `\angle ABC`, `\triangle ABC`: the letters after the command are its name. */
function named(prefix: string): (c: Cursor) => Node {
  return (c) => {
    let name = prefix;
    for (; peek(c).t === 'id' && /^[A-Z]+$/.test(peek(c).v); c.at++) name += peek(c).v;
    return { k: 'sym', name };
  };
}

/** A summation index called i or e is not the constant inside its body. */
function bound(body: Node, index: string): Node {
  if (index !== 'i' && index !== 'e') return body;
  if (body.k === 'const' && body.name === index) return { k: 'sym', name: index };
  return mapChildren(body, (child) => bound(child, index));
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
    return { k: 'fold', op, index: index.v, from, to, body: bound(body, index.v) };
  };
}

function readDots(): Node {
  return { k: 'words', text: '...' };
}

export const COMMANDS: Readonly<Record<string, (c: Cursor) => Node>> = {
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
