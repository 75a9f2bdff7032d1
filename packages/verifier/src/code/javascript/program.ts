/**
 * Puts an answer into the form that the isolate evaluates: wrapped as Node wraps a CommonJS module,
 * returning the names that the tests want. The first line stays the first line.
 */

const OPEN = '(function (exports, require, module, __filename, __dirname) { ';
const OPEN_ASYNC = `(async ${OPEN.slice(1)}`;
/** The name under which frames of the answer show up in stack traces. */
export const ANSWER_FILE = 'answer.js';

const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

/** A program ready for `load`. `names` become its completion value, undefined where not declared. */
export function wrapProgram(source: string, names: readonly string[], isAsync = false): string {
  const values = names.filter((name) => NAME.test(name)).map(valueIfDeclared);
  const tail = `\n;return [${values.join(', ')}];\n})\n//# sourceURL=${ANSWER_FILE}`;
  // A line for the shell is only allowed at the very start.
  return `${isAsync ? OPEN_ASYNC : OPEN}${source.replace(/^#!/, '//')}${tail}`;
}

function valueIfDeclared(name: string): string {
  return `typeof ${name} === 'undefined' ? undefined : ${name}`;
}

/** The first place in the answer that a stack trace names, less the wrapper. */
export function placeInAnswer(
  stack: string,
  isAsync = false,
): { line: number; column: number } | undefined {
  const match = /\banswer\.js:(\d+):(\d+)/.exec(stack);
  if (!match) return undefined;
  const line = Number(match[1]);
  const shift = line === 1 ? (isAsync ? OPEN_ASYNC : OPEN).length : 0;
  return { line, column: Math.max(1, Number(match[2]) - shift) };
}

/** Splits isolated-vm's `message [file:line:column]`. */
export function readSyntaxError(message: string): {
  message: string;
  line?: number;
  column?: number;
} {
  const match = /^(.*) \[[^\]]*?:(\d+):(\d+)\]$/s.exec(message);
  if (!match) return { message };
  return { message: match[1]!, line: Number(match[2]), column: Number(match[3]) };
}
