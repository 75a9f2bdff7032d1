/** Reads named functions with their powers, bases and arguments: `\sin^2 x`, `\log_2 8`, `gcd(4, 6)`, `sqrt(2)`. */
import type { Node } from '../node.ts';
import { readRoot } from './command.ts';
import { type Cursor, eat, isOp, peek, readNested } from './cursor.ts';
import { readBraced, readExponent, readPower, readSignedPower } from './expression.ts';
import type { Token } from './lex.ts';
import { FUNCTIONS, MANY_ARGUMENTS } from './names.ts';
import { isWord, readPrimary, startsPrimary } from './primary.ts';

/** Reads a function with its power (`\sin^2 x`), base (`\log_2 8`) and argument. */
export function readFunction(c: Cursor, name: string): Node {
  c.at++;
  if (name === 'sqrt' && (isOp(c, '[') || isOp(c, '{'))) return readNested(c, () => readRoot(c));
  let base: Node | undefined;
  let exponent: Node | 'degree' | 'prime' | undefined;
  for (let i = 0; i < 2; i++) {
    if (eat(c, '_')) base = readNested(c, () => (isOp(c, '{') ? readBraced(c) : readPrimary(c)));
    else if (eat(c, '^')) exponent = readExponent(c);
  }
  const args = readNested(c, () => readArguments(c, name));
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
  if (inverse && fn.k === 'fn' && /^(sin|cos|tan|cot|sec|csc|sinh|cosh|tanh)$/.test(fn.name)) {
    return { ...fn, name: `a${fn.name}` };
  }
  return { k: 'pow', base: fn, exp: exponent };
}

function readArguments(c: Cursor, name: string): readonly Node[] {
  const inner = readFunctionArgument(c);
  if (!MANY_ARGUMENTS.has(name)) return [inner];
  return inner.k === 'group' || inner.k === 'list' || inner.k === 'set' ? inner.items : [inner];
}

/** The argument: brackets that follow directly, else the factors up to the next sign, function or explicit operator. */
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

function startsFunction(token: Token): boolean {
  return (token.t === 'id' || token.t === 'cmd') && FUNCTIONS.has(token.v);
}
