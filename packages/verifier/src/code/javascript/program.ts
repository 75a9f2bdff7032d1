/**
 * Wraps a program as Node wraps a CommonJS module, so that it returns the values of the names that the tests use. The
 * first line of the program is the first line of the result.
 */

const OPEN = '(function (exports, require, module, __filename, __dirname) { ';
const OPEN_ASYNC = `(async ${OPEN.slice(1)}`;
/** The file name of the program in stack traces. */
const PROGRAM_FILE = 'answer.js';

const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

/**
 * Wraps a program for the entry `load`. It returns the values of `names`, undefined for each that it does not declare.
 */
export function wrapProgram(source: string, names: readonly string[], isAsync = false): string {
  const values = names.filter((name) => NAME.test(name)).map(valueIfDeclared);
  const tail = `\n;return [${values.join(', ')}];\n})\n//# sourceURL=${PROGRAM_FILE}`;
  // A hashbang line is only valid at the start of a file.
  return `${isAsync ? OPEN_ASYNC : OPEN}${source.replace(/^#!/, '//')}${tail}`;
}

function valueIfDeclared(name: string): string {
  return `typeof ${name} === 'undefined' ? undefined : ${name}`;
}

/** The first place in the program that a stack trace names, without the wrapper. */
export function placeInProgram(
  stack: string,
  isAsync = false,
): { line: number; column: number } | undefined {
  const match = /\banswer\.js:(\d+):(\d+)/.exec(stack);
  if (!match) return undefined;
  const line = Number(match[1]);
  const shift = line === 1 ? (isAsync ? OPEN_ASYNC : OPEN).length : 0;
  return { line, column: Math.max(1, Number(match[2]) - shift) };
}

/** Splits the `message [file:line:column]` of isolated-vm. */
export function readSyntaxError(message: string): {
  message: string;
  line?: number;
  column?: number;
} {
  const match = /^(.*) \[[^\]]*?:(\d+):(\d+)\]$/s.exec(message);
  if (!match) return { message };
  return { message: match[1]!, line: Number(match[2]), column: Number(match[3]) };
}
