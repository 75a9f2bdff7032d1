/**
 * Reads lists, relations and set operations: everything above the scalar expression. `readMath` is the entry point.
 */
import { type Node, type RelationOp, symbols } from '../node.ts';
import { realValue } from '../number/probe.ts';
import { ROW_BREAK } from './clean.ts';
import {
  type Cursor,
  createCursor,
  describeToken,
  eat,
  isCmd,
  isOp,
  peek,
  readNested,
} from './cursor.ts';
import { readExpression } from './expression.ts';
import { type CommaMode, lex, ReadError } from './lex.ts';

const RELATION_COMMANDS: Readonly<Record<string, RelationOp>> = {
  le: '<=',
  leq: '<=',
  leqslant: '<=',
  ge: '>=',
  geq: '>=',
  geqslant: '>=',
  lt: '<',
  gt: '>',
  ne: '!=',
  neq: '!=',
  in: 'in',
  notin: 'notin',
  subset: 'subset',
  subseteq: 'subset',
  approx: '=',
  simeq: '=',
  cong: '=',
  sim: '=',
  equiv: 'equiv',
  to: 'to',
  mapsto: 'to',
  rightarrow: 'to',
  Rightarrow: 'to',
  implies: 'to',
  longrightarrow: 'to',
  propto: 'subset',
};
const RELATION_SIGNS: Readonly<Record<string, RelationOp>> = {
  '=': '=',
  '<': '<',
  '>': '>',
  '<=': '<=',
  '>=': '>=',
  '!=': '!=',
  '->': 'to',
};

/** Reads cleaned text into a tree. @throws {ReadError} naming what cannot be read */
export function readMath(cleaned: string, mode: CommaMode): Node {
  const c = createCursor(lex(cleaned, mode), readList);
  if (c.tokens.length === 0) throw new ReadError('unexpected', 'the answer is empty');
  const node = readList(c);
  if (peek(c).t !== 'end') {
    throw new ReadError('unexpected', `unexpected ${describeToken(peek(c))}`);
  }
  return node;
}

type Join = 'comma' | 'semicolon' | 'or' | 'and';

function readSeparator(c: Cursor): Join | undefined {
  let join: Join | undefined;
  for (;;) {
    const next = separatorAt(c);
    if (next === undefined) return join;
    c.at++;
    join = join === undefined || join === 'comma' ? next : join;
  }
}

function separatorAt(c: Cursor): Join | undefined {
  const token = peek(c);
  if (token.t === 'op' && token.v === ',') return 'comma';
  if (token.t === 'op' && token.v === ';') return 'semicolon';
  if (token.t === 'op' && token.v === ROW_BREAK && c.depth === 0) return 'and';
  if (token.t === 'id' && (token.v === 'or' || token.v === 'OR')) return 'or';
  if (token.t === 'id' && (token.v === 'and' || token.v === 'AND')) return 'and';
  if (token.t === 'cmd' && (token.v === 'lor' || token.v === 'vee')) return 'or';
  if (token.t === 'cmd' && (token.v === 'land' || token.v === 'wedge')) return 'and';
  return undefined;
}

/** Reads items up to the end of the brackets. A single item is not a list. */
function readList(c: Cursor): Node {
  const items = [readStatement(c)];
  let join: Join | undefined;
  for (;;) {
    const separator = readSeparator(c) ?? (isCompound(c, items.at(-1)!) ? 'and' : undefined);
    if (separator === undefined || atEnd(c)) break;
    join = join === undefined || join === 'comma' ? separator : join;
    items.push(readStatement(c));
  }
  return join === undefined ? items[0]! : { k: 'list', items, join };
}

/** "2 hours 30 minutes": a number directly after an amount continues it. */
function isCompound(c: Cursor, last: Node): boolean {
  return last.k === 'quantity' && peek(c).t === 'num';
}

const CLOSERS = new Set([')', ']', '}', '\\}', '|', '&', ROW_BREAK]);
function atEnd(c: Cursor): boolean {
  const token = peek(c);
  return (
    token.t === 'end' ||
    (token.t === 'op' && CLOSERS.has(token.v)) ||
    (token.t === 'cmd' && token.v === 'end')
  );
}

const APPROXIMATE = new Set(['approx', 'simeq', 'sim', 'cong']);

/** `\sqrt{5} \approx 2.236`: the decimal after an exact value is ignored, if it is correct to its last place. */
function illustrates(exact: Node, decimal: Node): boolean {
  const [left, right] = [exact, decimal].map((node) => (node.k === 'quantity' ? node.arg : node));
  const shown = right!.k === 'neg' ? right!.arg : right!;
  if (shown.k !== 'num' || shown.decimals === undefined || symbols(left!).length > 0) return false;
  const [a, b] = [realValue(left!), realValue(right!)];
  return a !== undefined && b !== undefined && Math.abs(a - b) <= 10 ** -shown.decimals;
}

/** Reads a chain of relations, or a single side. */
function readStatement(c: Cursor): Node {
  if (isOp(c, '=') || isCmd(c, 'approx') || isCmd(c, 'sim') || isCmd(c, 'therefore')) c.at++;
  const args = [readSetExpression(c)];
  const ops: RelationOp[] = [];
  for (let op = readRelation(c); op !== undefined; op = readRelation(c)) {
    const approximate = APPROXIMATE.has(peek(c, -1).v);
    const side = readSetExpression(c);
    if (approximate && illustrates(args.at(-1)!, side)) continue;
    ops.push(op);
    args.push(side);
  }
  if (ops.length === 0) return args[0]!;
  const modulus = readModulus(c);
  if (modulus) args.push({ k: 'fn', name: 'mod', args: [args.pop()!, modulus] });
  return { k: 'relation', ops, args };
}

function readRelation(c: Cursor): RelationOp | undefined {
  const token = peek(c);
  if (isCmd(c, 'not')) return readNegated(c);
  const op =
    token.t === 'op'
      ? RELATION_SIGNS[token.v]
      : token.t === 'cmd'
        ? RELATION_COMMANDS[token.v]
        : undefined;
  if (op !== undefined) c.at++;
  return op;
}

function readNegated(c: Cursor): RelationOp {
  c.at++;
  if (eat(c, '=')) return '!=';
  if (eat(c, 'in')) return 'notin';
  throw new ReadError('unknown-command', 'cannot read \\not');
}

/** `\pmod{5}`, `(mod 5)`. */
function readModulus(c: Cursor): Node | undefined {
  const plain = isOp(c, '(') && (peek(c, 1).v === 'mod' || peek(c, 1).v === 'bmod');
  if (!plain && !isCmd(c, 'pmod') && !isCmd(c, 'mod')) return undefined;
  c.at += plain ? 2 : 1;
  const modulus = readNested(c, () => readExpression(c));
  if (plain && !eat(c, ')')) throw new ReadError('unexpected', 'a bracket is not closed');
  return modulus;
}

type SetOp = 'union' | 'intersection' | 'minus';

function readSetExpression(c: Cursor): Node {
  let left = readRatio(c);
  for (let op = readSetOp(c); op !== undefined; op = readSetOp(c)) {
    const right = readRatio(c);
    left =
      left.k === 'setop' && left.op === op && op !== 'minus'
        ? { ...left, args: [...left.args, right] }
        : { k: 'setop', op, args: [left, right] };
  }
  return left;
}

function readSetOp(c: Cursor): SetOp | undefined {
  if (eat(c, 'cup') || eat(c, 'bigcup')) return 'union';
  if (eat(c, 'cap')) return 'intersection';
  if (eat(c, 'setminus') || eat(c, 'backslash')) return 'minus';
  const token = peek(c);
  if (
    token.t === 'id' &&
    (token.v === 'U' || token.v === 'union') &&
    /^[([{]$|^\\\{$/.test(peek(c, 1).v)
  ) {
    c.at++;
    return 'union';
  }
  return undefined;
}

function isRatioSign(c: Cursor): boolean {
  return (
    (c.builder !== 'both' && (isOp(c, ':') || isCmd(c, 'colon'))) ||
    (peek(c).t === 'id' && peek(c).v === 'to' && peek(c, 1).t === 'num')
  );
}

/** Reads `3:4:5` and "3 to 4", if a colon is not the bar of a set builder here. */
function readRatio(c: Cursor): Node {
  const first = readExpression(c);
  if (!isRatioSign(c)) return first;
  const args = [first];
  while (isRatioSign(c)) {
    c.at++;
    args.push(readExpression(c));
  }
  return { k: 'ratio', args };
}
