/**
 * A position in the token list, with the nesting depth and the current meaning of a bar `|`. All reading functions take it.
 * Each token is read once, which keeps reading linear.
 */
import type { Node } from '../node.ts';
import { ReadError, type Token } from './lex.ts';

export const MAX_DEPTH = 40;
const MAX_TOKENS = 1_200;

const END: Token = { t: 'end', v: '', space: false, text: false };

export interface Cursor {
  readonly tokens: Token[];
  at: number;
  depth: number;
  /** Open absolute values. A bar in operator position closes the innermost one. */
  bars: number;
  /** Inside `{x | ...}` before the bar. `both`: a colon may replace the bar. */
  builder: false | 'bar' | 'both';
  /** Reads lists and relations inside brackets. structure.ts sets it, which avoids importing structure.ts here. */
  readonly inner: (cursor: Cursor) => Node;
}

export function createCursor(tokens: Token[], inner: (cursor: Cursor) => Node): Cursor {
  if (tokens.length > MAX_TOKENS) throw new ReadError('too-long', `more than ${MAX_TOKENS} tokens`);
  return { tokens, at: 0, depth: 0, bars: 0, builder: false, inner };
}

export function peek(c: Cursor, ahead = 0): Token {
  return c.tokens[c.at + ahead] ?? END;
}

export function isOp(c: Cursor, v: string, ahead = 0): boolean {
  const token = peek(c, ahead);
  return token.t === 'op' && token.v === v;
}

export function isCmd(c: Cursor, v: string, ahead = 0): boolean {
  const token = peek(c, ahead);
  return token.t === 'cmd' && token.v === v;
}

export function eat(c: Cursor, v: string): boolean {
  const token = peek(c);
  if ((token.t !== 'op' && token.t !== 'cmd') || token.v !== v) return false;
  c.at++;
  return true;
}

export function expect(c: Cursor, v: string): void {
  if (!eat(c, v))
    throw new ReadError('unexpected', `expected ${v} but found ${describeToken(peek(c))}`);
}

export function describeToken(token: Token): string {
  if (token.t === 'end') return 'the end';
  return JSON.stringify(token.t === 'cmd' ? `\\${token.v}` : token.v);
}

/** Runs a reader one level deeper, with its own meaning of bars. @throws {ReadError} beyond MAX_DEPTH */
export function readNested<T>(c: Cursor, read: () => T): T {
  if (++c.depth > MAX_DEPTH)
    throw new ReadError('too-deep', `nested more than ${MAX_DEPTH} levels`);
  const { bars, builder } = c;
  c.bars = 0;
  c.builder = false;
  const result = read();
  c.bars = bars;
  c.builder = builder;
  c.depth--;
  return result;
}
