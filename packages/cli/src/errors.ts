/**
 * Failures a user can act on, and the one place that turns any failure into a message and an exit code.
 * Leaves out: printing (main.ts) and configuration problems (config/problems.ts builds those).
 */

export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** `cipo verify`: some rows could not be read. */
  badRows: 3,
  /** `cipo verify`: some rows got no judgement for a reason that is not theirs. */
  unjudged: 4,
  /** Both of these. */
  badAndUnjudged: 5,
  interrupted: 130,
  /** Nobody reads the output any more (`| head`). */
  readerGone: 141,
} as const;

/** A failure with its remedy in the message: shown without a stack. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Node's code of a system error (`ENOSPC`), looked for along the chain of causes. */
export function systemCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return undefined;
}

function systemPath(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if ('path' in at && typeof at.path === 'string') return at.path;
  }
  return '';
}

const WORDS: Readonly<Record<string, (path: string) => string>> = {
  ENOSPC: (path) =>
    `The disk is full${at(path)}. What was saved before is complete: free some space, then go on with --resume.`,
  EDQUOT: (path) =>
    `The disk quota is used up${at(path)}. What was saved before is complete: free some space, then go on with --resume.`,
  EROFS: (path) => `The file system is read-only${at(path)}. Choose another folder with --out.`,
  EACCES: (path) => `No permission${at(path)}.`,
  EPERM: (path) => `Not permitted${at(path)}.`,
  ENOENT: (path) => `There is nothing${at(path)}.`,
  ENOTDIR: (path) => `Not a folder${at(path)}.`,
  EISDIR: (path) => `A folder where a file is needed${at(path)}.`,
  EMFILE: () => 'Too many open files: raise the limit (ulimit -n) or lower `workers`.',
};

function at(path: string): string {
  return path === '' ? '' : ` at ${path}`;
}

/** These decide over every message above them: whatever failed, this is what to do something about. */
const OUT_OF_ROOM = ['ENOSPC', 'EDQUOT'];

/** What to tell about any failure. `expected` failures carry their own remedy and need no stack. */
export function explain(error: unknown): { message: string; exitCode: number; expected: boolean } {
  if (error instanceof UserError) {
    return { message: error.message, exitCode: error.exitCode, expected: true };
  }
  const code = systemCode(error) ?? '';
  const words = WORDS[code];
  // Otherwise a message that wraps a system error knows more than the error does.
  const bare = error instanceof Error && 'code' in error && error.code === code;
  if (words !== undefined && (bare || OUT_OF_ROOM.includes(code))) {
    return { message: words(systemPath(error)), exitCode: EXIT.failure, expected: true };
  }
  const own = error instanceof Error ? error.message : String(error);
  return {
    message: own,
    exitCode: exitCodeOf(error),
    expected: isOurs(error),
  };
}

const EXIT_OF: Readonly<Record<string, number>> = {
  Interrupted: EXIT.interrupted,
  PluginError: EXIT.usage,
};

function exitCodeOf(error: unknown): number {
  const name = error instanceof Error ? error.name : '';
  return Object.hasOwn(EXIT_OF, name) ? EXIT_OF[name]! : EXIT.failure;
}

/** Errors that this project throws on bad input carry a name of their own, or wrap the one they explain. */
function isOurs(error: unknown): boolean {
  const plain = ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError'];
  return error instanceof Error && (!plain.includes(error.name) || error.cause instanceof Error);
}
