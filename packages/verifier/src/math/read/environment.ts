/**
 * Reads `\begin{...}`: matrices and vectors, cases (piecewise values or a system), aligned lines.
 * Leaves out: environments nested beyond the depth limit, pictures, tables with text.
 */
import type { Node } from '../node.ts';
import { ROW_BREAK } from './clean.ts';
import { type Cursor, eat, expect, isCmd, isOp, peek, readNested } from './cursor.ts';
import { ReadError } from './lex.ts';

const MATRICES = new Set([
  'matrix',
  'pmatrix',
  'bmatrix',
  'Bmatrix',
  'vmatrix',
  'Vmatrix',
  'smallmatrix',
  'array',
  'psmallmatrix',
  'bsmallmatrix',
]);
const LINES = new Set([
  'aligned',
  'align',
  'gathered',
  'gather',
  'split',
  'equation',
  'multline',
  'eqnarray',
  'alignedat',
  'alignat',
]);
const CONDITION_WORDS = new Set(['if', 'for', 'when', 'where', 'otherwise', 'else', 'and']);

export function readEnvironment(c: Cursor): Node {
  const name = readName(c);
  if (name === 'array' && isOp(c, '{')) skipColumns(c);
  if (MATRICES.has(name)) return readMatrix(c, name);
  if (name === 'cases' || name === 'dcases' || name === 'rcases') return readCases(c, name);
  if (LINES.has(name)) return readLines(c, name);
  throw new ReadError('unknown-command', `cannot read \\begin{${name}}`);
}

function readName(c: Cursor): string {
  expect(c, '{');
  const name = peek(c).v;
  c.at++;
  eat(c, '*');
  expect(c, '}');
  return name;
}

function skipColumns(c: Cursor): void {
  while (peek(c).t !== 'end' && !eat(c, '}')) c.at++;
}

function readEnd(c: Cursor, name: string): void {
  expect(c, 'end');
  if (readName(c) !== name) throw new ReadError('unexpected', `\\begin{${name}} is not closed`);
}

/** The cells of each row. An empty last row is dropped. */
function readRows(c: Cursor): Node[][] {
  const rows: Node[][] = [];
  while (!isCmd(c, 'end') && peek(c).t !== 'end') {
    const row: Node[] = [];
    do {
      skipConditionWords(c);
      if (!isBreak(c)) row.push(readNested(c, () => c.inner(c)));
    } while (eat(c, '&'));
    if (row.length > 0) rows.push(row);
    if (!eat(c, ROW_BREAK)) break;
  }
  return rows;
}

function isBreak(c: Cursor): boolean {
  return isOp(c, ROW_BREAK) || isOp(c, '&') || isCmd(c, 'end');
}

function skipConditionWords(c: Cursor): void {
  while (peek(c).t === 'id' && CONDITION_WORDS.has(peek(c).v)) c.at++;
}

function readMatrix(c: Cursor, name: string): Node {
  const rows = readRows(c);
  readEnd(c, name);
  const width = rows[0]?.length ?? 0;
  if (width === 0 || rows.some((row) => row.length !== width)) {
    throw new ReadError('unexpected', 'matrix rows differ in length');
  }
  if (name === 'vmatrix') return determinant(rows);
  if (
    rows.every((row) => row.every((cell, k) => (k === width - 1 ? isCondition(cell) : true))) &&
    width <= 2
  ) {
    return lines(rows);
  }
  return { k: 'matrix', rows };
}

function isCondition(cell: Node): boolean {
  return cell.k === 'relation';
}

/** An array of relations is a system; an array of values with relations is a piecewise value. */
function lines(rows: readonly (readonly Node[])[]): Node {
  if (rows[0]!.length === 1) return { k: 'list', items: rows.flat(), join: 'and' };
  return { k: 'cases', rows: rows.map(([value, when]) => ({ value: value!, when: when! })) };
}

/** Two columns are values with conditions; one column is a system. */
function readCases(c: Cursor, name: string): Node {
  const rows = readRows(c);
  readEnd(c, name);
  if (rows.every((row) => row.length === 1)) return { k: 'list', items: rows.flat(), join: 'and' };
  return {
    k: 'cases',
    rows: rows.map(([value, when]) => (when ? { value: value!, when } : { value: value! })),
  };
}

/** Aligned lines: `&` only aligns. */
function readLines(c: Cursor, name: string): Node {
  for (
    let i = c.at;
    i < c.tokens.length && !(c.tokens[i]!.t === 'cmd' && c.tokens[i]!.v === 'end');
    i++
  ) {
    if (c.tokens[i]!.v === '&') c.tokens.splice(i--, 1);
  }
  const items = readRows(c).flat();
  readEnd(c, name);
  return items.length === 1 ? items[0]! : { k: 'list', items, join: 'and' };
}

/** A determinant, expanded along the first row. 4 by 4 gives 24 products. */
export function determinant(rows: readonly (readonly Node[])[]): Node {
  if (rows.length !== rows[0]!.length || rows.length > 4) {
    throw new ReadError('too-large', 'only determinants up to 4 by 4 are read');
  }
  if (rows.length === 1) return rows[0]![0]!;
  const terms = rows[0]!.map((entry, k): Node => {
    const minor = rows.slice(1).map((row) => row.filter((_, j) => j !== k));
    const product: Node = { k: 'mul', args: [entry, determinant(minor)] };
    return k % 2 === 0 ? product : { k: 'neg', arg: product };
  });
  return { k: 'add', args: terms };
}
