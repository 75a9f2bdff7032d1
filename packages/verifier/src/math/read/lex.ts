/**
 * Splits cleaned text into tokens in one linear pass. A number token keeps its digits. Letters inside `\text{}` stay words
 * (`text: true`); other letters are runs that the reader splits into symbols or recognizes as names.
 * Leaves out: all grammar.
 */
import { HARD_COMMA, ROW_BREAK } from './clean.ts';

export interface Token {
  /** num: digits; id: letters; cmd: LaTeX command without backslash; op: one sign (see `SIGNS`); end: past the last. */
  t: 'num' | 'id' | 'cmd' | 'op' | 'end';
  v: string;
  /** Whether white space precedes it. */
  space: boolean;
  /** Inside `\text{}` and the like. */
  text: boolean;
}

/** How commas between digits are read. `grouped`: `1,234` is one number; `plain`: every comma separates. */
export type CommaMode = 'grouped' | 'plain' | 'decimal';

/** An answer that cannot be read. `code` goes into the diagnostic. */
export class ReadError extends Error {
  readonly code: 'unknown-command' | 'unexpected' | 'too-deep' | 'too-long' | 'too-large';
  constructor(code: ReadError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const TEXT_COMMANDS = new Set([
  'text',
  'textbf',
  'textit',
  'textrm',
  'textsf',
  'texttt',
  'textnormal',
  'mbox',
  'hbox',
  'mathrm',
  'rm',
  'operatorname',
  'mathsf',
  'mathtt',
  'textsc',
  'emph',
  'underline',
  'fbox',
]);
const STYLE_COMMANDS = new Set([
  'mathbf',
  'mathit',
  'boldsymbol',
  'bm',
  'mathcal',
  'mathfrak',
  'mathscr',
  'ensuremath',
  'vphantom',
  'smash',
  'boxed',
  'mathop',
  'mathbin',
  'mathrel',
  'mathstrut',
]);

const GROUPED = /\d{1,3}(?:,\d{3})+(?![\d])(?:\.\d+)?/y;
const HARD_GROUPED = new RegExp(`\\d{1,3}(?:${HARD_COMMA}\\d{3})+(?!\\d)(?:\\.\\d+)?`, 'y');
const SPACE_GROUPED = /\d{1,3}(?: \d{3})+(?![\d])(?:\.\d+)?(?! ?[/\d])/y;
const DECIMAL_COMMA = /\d+,\d+/y;
const HARD_DECIMAL = new RegExp(`\\d+${HARD_COMMA}\\d+`, 'y');
const PLAIN = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4}(?![\d.]))?/y;
const LETTERS = /[a-zA-Z]+/y;
const MULTI = ['<=', '>=', '!=', '==', '->', '=>', '**', '...', ':='];
const MULTI_AS: Readonly<Record<string, string>> = { '==': '=', '=>': '->', '**': '^', ':=': '=' };

interface Lexer {
  readonly s: string;
  at: number;
  space: boolean;
  /** Closing positions of open `\text{` groups. Letters before the innermost one are words. */
  readonly textDepths: number[];
  depth: number;
  readonly mode: CommaMode;
  readonly out: Token[];
}

/** @throws {ReadError} on signs that do not occur in answers */
export function lex(cleaned: string, mode: CommaMode): Token[] {
  const lx: Lexer = { s: cleaned, at: 0, space: false, textDepths: [], depth: 0, mode, out: [] };
  while (lx.at < cleaned.length) step(lx);
  return lx.out;
}

function push(lx: Lexer, t: Token['t'], v: string, length: number): void {
  lx.out.push({ t, v, space: lx.space, text: lx.textDepths.length > 0 });
  lx.space = false;
  lx.at += length;
}

function step(lx: Lexer): void {
  const c = lx.s[lx.at]!;
  if (c === ' ' || c === '\t' || c === '\n' || c === '\r') {
    lx.space = true;
    lx.at++;
  } else if (isDigit(c) || (c === '.' && isDigit(lx.s[lx.at + 1]))) readNumber(lx);
  else if (isLetter(c)) readLetters(lx);
  else if (c === '\\') readCommand(lx);
  else readSign(lx, c);
}

function isDigit(c: string | undefined): boolean {
  return c !== undefined && c >= '0' && c <= '9';
}

function isLetter(c: string): boolean {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

function matchAt(lx: Lexer, pattern: RegExp): string | undefined {
  pattern.lastIndex = lx.at;
  return pattern.exec(lx.s)?.[0];
}

function readNumber(lx: Lexer): void {
  const [value, length] = numberAt(lx);
  push(lx, 'num', value, length);
}

/** The digits without separators, and the number of characters read. */
function numberAt(lx: Lexer): [value: string, length: number] {
  const hard = matchAt(lx, HARD_GROUPED) ?? matchAt(lx, SPACE_GROUPED);
  if (hard) return [hard.replaceAll(HARD_COMMA, '').replaceAll(' ', ''), hard.length];
  const hardDecimal = matchAt(lx, HARD_DECIMAL);
  if (hardDecimal) return [hardDecimal.replace(HARD_COMMA, '.'), hardDecimal.length];
  const grouped = lx.mode === 'grouped' ? matchAt(lx, GROUPED) : undefined;
  if (grouped) return [grouped.replaceAll(',', ''), grouped.length];
  const decimal = lx.mode === 'decimal' ? matchAt(lx, DECIMAL_COMMA) : undefined;
  if (decimal) return [decimal.replace(',', '.'), decimal.length];
  const plain = matchAt(lx, PLAIN)!;
  const dots = plain.endsWith('.') && lx.s.startsWith('..', lx.at + plain.length);
  return dots ? [plain.slice(0, -1), plain.length - 1] : [plain, plain.length];
}

function readLetters(lx: Lexer): void {
  const run = matchAt(lx, LETTERS)!;
  push(lx, 'id', run, run.length);
}

function readCommand(lx: Lexer): void {
  const next = lx.s[lx.at + 1] ?? '';
  if (isLetter(next)) readNamed(lx);
  else readEscape(lx, next);
}

function readNamed(lx: Lexer): void {
  let end = lx.at + 1;
  while (end < lx.s.length && isLetter(lx.s[end]!)) end++;
  const name = lx.s.slice(lx.at + 1, end);
  if (TEXT_COMMANDS.has(name) || STYLE_COMMANDS.has(name)) openText(lx, name, end);
  else push(lx, 'cmd', name, end - lx.at);
}

/** `\text{...}`: its content becomes words. The command `\mathbf{...}` is ignored. */
function openText(lx: Lexer, name: string, end: number): void {
  let at = end;
  if (name === 'operatorname' && lx.s[at] === '*') at++;
  while (lx.s[at] === ' ') at++;
  lx.at = at;
  if (lx.s[at] !== '{') return;
  lx.at++;
  lx.depth++;
  if (TEXT_COMMANDS.has(name)) lx.textDepths.push(lx.depth);
  else lx.out.push({ t: 'op', v: '{', space: lx.space, text: false });
}

function readEscape(lx: Lexer, next: string): void {
  if (next === '') lx.at++;
  else if (next === '{' || next === '}') push(lx, 'op', `\\${next}`, 2);
  else if (next === '|') push(lx, 'op', '||', 2);
  else if ('%$&#_'.includes(next)) push(lx, 'op', next, 2);
  else throw new ReadError('unknown-command', `cannot read \\${next}`);
}

const SIGNS = new Set([
  ...`+-*/^_()[]{}=<>|,;:!%'"&$#.?@`,
  '€',
  '£',
  '¥',
  '₹',
  ROW_BREAK,
  HARD_COMMA,
]);

function readSign(lx: Lexer, c: string): void {
  const two = MULTI.find((m) => lx.s.startsWith(m, lx.at));
  if (two) push(lx, 'op', MULTI_AS[two] ?? two, two.length);
  else if (c === '}' && closeBrace(lx)) return;
  else if (SIGNS.has(c)) {
    if (c === '{') lx.depth++;
    push(lx, 'op', c === HARD_COMMA ? ',' : c, 1);
  } else if (c > '\x7f') push(lx, 'id', c, 1);
  else throw new ReadError('unexpected', `cannot read the sign ${JSON.stringify(c)}`);
}

/** Whether the brace closed a text group, which leaves no token. */
function closeBrace(lx: Lexer): boolean {
  const text = lx.textDepths.at(-1) === lx.depth;
  if (text) {
    lx.textDepths.pop();
    lx.at++;
  }
  if (lx.depth > 0) lx.depth--;
  return text;
}
