/**
 * Failures that a user can act on, and the conversion of any failure into a message and an exit code.
 * Leaves out: printing (main.ts) and messages about configuration values (config/problems.ts).
 */
import { dirname } from 'node:path';
import { errorMessage } from '@cipo/support';

/** Exit codes of the command. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** `cipo verify`: some rows cannot be parsed. */
  badRows: 3,
  /** `cipo verify`: some rows could not be judged, for a reason other than the row. */
  unjudged: 4,
  /** `cipo verify`: both of these. */
  badAndUnjudged: 5,
  interrupted: 130,
  /** The reader of standard output closed the pipe (`| head`). */
  readerGone: 141,
} as const;

/** A failure whose message names the remedy. It is printed without a stack. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  /** One of {@link EXIT}. */
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Node's code of a system error (`ENOSPC`), found along the chain of causes. Codes of other errors are skipped. */
export function systemCode(error: unknown): string | undefined {
  return fieldOfCauses(error, 'code', /^E[A-Z0-9]+$/);
}

/** The first text in this field along the chain of causes that matches the pattern. */
function fieldOfCauses(error: unknown, field: string, pattern = /^/): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    const value = Object.getOwnPropertyDescriptor(at, field)?.value;
    if (typeof value === 'string' && pattern.test(value)) return value;
  }
  return undefined;
}

const SYSTEM_MESSAGES: Readonly<Record<string, (path: string) => string>> = {
  ENOSPC: (path) =>
    `The disk is full${atPath(path)}. Earlier checkpoints are complete: free some space, then continue with --resume.`,
  EDQUOT: (path) =>
    `The disk quota is used up${atPath(path)}. Earlier checkpoints are complete: free some space, then continue with --resume.`,
  EROFS: (path) => `The file system is read-only${atPath(path)}. Choose another folder with --out.`,
  EACCES: (path) => `No permission${atPath(path)}.`,
  EPERM: (path) => `Not permitted${atPath(path)}.`,
  ENOENT: (path) => `There is no file or folder${atPath(path)}.`,
  ENOTDIR: (path) => `Expected a folder, got a file${atPath(path)}.`,
  EISDIR: (path) => `Expected a file, got a folder${atPath(path)}.`,
  EMFILE: () => 'Too many open files: raise the limit (ulimit -n) or lower `workers`.',
};

function atPath(path: string): string {
  return path === '' ? '' : ` at ${path}`;
}

/** A full disk is the reason to report even if another error wraps it. */
const OUT_OF_SPACE = ['ENOSPC', 'EDQUOT'];

/** What to print for any failure. An `expected` failure names its own remedy and needs no stack. */
export function explainError(error: unknown): {
  message: string;
  exitCode: number;
  expected: boolean;
} {
  if (error instanceof UserError) {
    return { message: error.message, exitCode: error.exitCode, expected: true };
  }
  const code = systemCode(error) ?? '';
  const describe = SYSTEM_MESSAGES[code];
  // An error that wraps a system error has the more specific message.
  const isSystemError = error instanceof Error && 'code' in error && error.code === code;
  if (describe !== undefined && (isSystemError || OUT_OF_SPACE.includes(code))) {
    const message = describe(fieldOfCauses(error, 'path') ?? '');
    return { message, exitCode: EXIT.failure, expected: true };
  }
  return {
    message: errorMessage(error),
    exitCode: exitCodeOf(error),
    expected: isExpected(error),
  };
}

/** Why an output file cannot be opened, with the folder that is missing instead of the file. */
export function explainOutput(error: unknown, path: string): string {
  const isMissing = systemCode(error) === 'ENOENT';
  return isMissing ? `There is no folder ${dirname(path)}.` : explainError(error).message;
}

const EXIT_OF: Readonly<Record<string, number>> = {
  Interrupted: EXIT.interrupted,
  PluginError: EXIT.usage,
};

function exitCodeOf(error: unknown): number {
  const name = error instanceof Error ? error.name : '';
  return Object.hasOwn(EXIT_OF, name) ? EXIT_OF[name]! : EXIT.failure;
}

const BUILT_IN_NAMES = ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError'];

/**
 * Errors that the packages throw on bad input have a name of their own, or wrap the error that they explain. The code
 * `internal` of the engine marks a mistake of the engine itself.
 */
function isExpected(error: unknown): boolean {
  if (!(error instanceof Error) || ('code' in error && error.code === 'internal')) return false;
  return !BUILT_IN_NAMES.includes(error.name) || error.cause instanceof Error;
}
