/**
 * Reads brackets: a parenthesised expression, a tuple or interval, a set, a set given by a condition. A single item in `( )`
 * or `[ ]` is the item itself. The type of the reference decides whether `(1, 2)` is a tuple or an interval.
 */
import type { Node } from '../node.ts';
import { type Cursor, describeToken, eat, isCmd, isOp, peek, readNested } from './cursor.ts';
import { markGrouped } from './expression.ts';
import { ReadError } from './lex.ts';

export function readBracketed(c: Cursor): Node {
  if (eat(c, '\\{')) return readSet(c, '\\}');
  if (eat(c, '{')) return readSet(c, '}');
  if (eat(c, '(')) return readGroup(c, '(');
  if (eat(c, '[')) return readGroup(c, '[');
  if (eat(c, 'langle')) return readGroup(c, '<');
  throw new ReadError('unexpected', `unexpected ${describeToken(peek(c))}`);
}

function readGroup(c: Cursor, open: '(' | '[' | '<'): Node {
  const content = readNested(c, () => c.inner(c));
  const close = readClose(c, open);
  if (content.k === 'list' && content.join !== 'or') {
    return { k: 'group', open, close, items: content.items };
  }
  if (open === '<' || (open === '(') !== (close === ')')) {
    return { k: 'group', open, close, items: [content] };
  }
  return markGrouped(content);
}

function readClose(c: Cursor, open: '(' | '[' | '<'): ')' | ']' | '>' {
  if (open === '<') {
    if (!eat(c, 'rangle')) throw new ReadError('unexpected', 'a bracket is not closed');
    return '>';
  }
  if (eat(c, ')')) return ')';
  if (eat(c, ']')) return ']';
  throw new ReadError('unexpected', `a bracket is not closed: found ${describeToken(peek(c))}`);
}

/** `\{1, 2\}`, `\{x | x > 0\}`; TeX braces around one expression group it. */
function readSet(c: Cursor, close: string): Node {
  if (eat(c, close)) return { k: 'set', items: [] };
  const node = readNested(c, () => readSetBody(c, close === '}' ? 'bar' : 'both'));
  if (!eat(c, close)) {
    throw new ReadError('unexpected', `a brace is not closed: found ${describeToken(peek(c))}`);
  }
  if (close === '}' && node.k === 'set' && node.items.length === 1) {
    return markGrouped(node.items[0]!);
  }
  return node;
}

function readSetBody(c: Cursor, builder: 'bar' | 'both'): Node {
  c.builder = builder;
  const content = c.inner(c);
  c.builder = false;
  const bar = isOp(c, '|') || (builder === 'both' && (isOp(c, ':') || isCmd(c, 'colon')));
  if (!bar) return { k: 'set', items: content.k === 'list' ? content.items : [content] };
  c.at++;
  const conditions = c.inner(c);
  return {
    k: 'setof',
    element: content,
    conditions: conditions.k === 'list' ? conditions.items : [conditions],
  };
}
