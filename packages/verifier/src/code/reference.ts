/**
 * The reference of a code task, and how a row of a data set becomes a task. The row has the shape that `cipo verify`
 * reads. Unknown fields are ignored.
 */
import { createHash } from 'node:crypto';
import { readId } from '../rows/id.ts';
import { readPrompt } from '../rows/prompt.ts';
import { type Message, type Task, TaskError } from '../types.ts';
import type { Tolerance } from './compare.ts';
import type { Language, RunLimits } from './job.ts';
import * as read from './row.ts';
import { problemOfTests } from './runnable.ts';
import { type Wire, wireOfJson } from './value.ts';

/** Whether the policy may see the details of a test. */
interface Visibility {
  /** `true`: the details may be part of a correction prompt. `false`: only the operator sees them. */
  readonly visible: boolean;
}

/** One call of the entry function with its expected result. */
export interface CallCase extends Visibility {
  /** JSON text of the list of arguments, `$type` objects included. */
  readonly args: string;
  readonly expected: Wire;
  /** Other results that are correct too. */
  readonly alternatives?: readonly Wire[];
}

/** One run of the program with its expected output. */
export interface StdioCase extends Visibility {
  readonly input: string;
  readonly output: string;
}

/** A program that judges outputs, for tasks with many correct ones. It defines `check(input, output, expected)`. */
export interface Checker {
  readonly language: Language;
  readonly code: string;
}

/**
 * The tests of a task. `call`: a function is called. `stdio`: the program reads standard input and prints. `assert`: a
 * test program runs after the attempt's and throws if it is incorrect.
 */
export type CodeTests =
  | {
      readonly type: 'call';
      /** Name of a function, or `Class.method`. */
      readonly entry: string;
      readonly cases: readonly CallCase[];
      readonly tolerance?: Tolerance;
    }
  | {
      readonly type: 'stdio';
      readonly cases: readonly StdioCase[];
      readonly tolerance?: Tolerance;
      /** Compare the whole text instead of token by token. */
      readonly exact: boolean;
      readonly ignoreCase: boolean;
      readonly checker?: Checker;
    }
  | ({ readonly type: 'assert'; readonly code: string } & Visibility);

/** What a code task is judged by. */
export interface CodeReference {
  readonly language: Language;
  /** Code that a response continues if it does not hold the whole program. */
  readonly prefix: string;
  /** Code that runs before and after the submitted code. */
  readonly setup: { readonly before: string; readonly after: string };
  readonly tests: CodeTests;
  readonly limits: Partial<RunLimits>;
  /** Report the first failed test only, and stop at the first that does not end normally. */
  readonly stopAtFirst: boolean;
  /** The response itself is the program: no code is extracted from it. */
  readonly verbatim?: boolean;
  /** A correct program, if the row has one. Never shown to the policy. */
  readonly solution?: string;
}

/** Number of tests that an attempt runs. */
export function testCount({ tests }: CodeReference): number {
  return tests.type === 'assert' ? 1 : tests.cases.length;
}

/**
 * Reads one row: `language`, `tests`, and optionally `id`, `prompt`, `prefix`, `setup`, `imports`, `limits`,
 * `stopAtFirst`, `verbatim`, `solution`.
 *
 * `prompt` is a string or a list of messages. A string is also the prefix that the response may continue, unless the
 * row has a `prefix` (`""` for none).
 * @throws {TaskError} naming the field
 */
export function parseCodeTask(row: unknown): Task<CodeReference> {
  const fields = read.object(row, 'row');
  const prompt = fields.prompt;
  const language = readLanguage(fields.language, 'language');
  const reference: CodeReference = {
    language,
    prefix:
      read.optionalText(fields.prefix, 'prefix') ?? (typeof prompt === 'string' ? prompt : ''),
    setup: withImports(readSetup(fields.setup), fields, language),
    tests: readTests(fields.tests, language),
    limits: readLimits(fields.limits),
    stopAtFirst: read.optionalFlag(fields.stopAtFirst, 'stopAtFirst') ?? false,
    ...optional('verbatim', read.optionalFlag(fields.verbatim, 'verbatim')),
    ...optional('solution', read.optionalText(fields.solution, 'solution')),
  };
  const messages = readPrompt(fields);
  checkId(fields);
  const id = readId(fields) ?? contentId(messages, reference);
  return { id, domain: 'code', prompt: messages, reference };
}

/** Refuses an id that `readId` would ignore. A `task_id` beside an `id` is not read, so it may be anything. */
function checkId(fields: read.Fields): void {
  const field = isAbsent(fields.id) ? 'task_id' : 'id';
  const id = fields[field];
  if (isAbsent(id) || ['string', 'number', 'bigint'].includes(typeof id)) return;
  throw new TaskError(field, 'must be a string or a number', id);
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** An id for rows without one: the same prompt and reference give the same id. */
function contentId(prompt: readonly Message[], reference: CodeReference): string {
  const content = JSON.stringify([prompt, reference]);
  return `code-${createHash('sha256').update(content).digest('hex').slice(0, 12)}`;
}

const LANGUAGES: Record<string, Language> = {
  javascript: 'javascript',
  js: 'javascript',
  typescript: 'typescript',
  ts: 'typescript',
  python: 'python',
  python3: 'python',
  py: 'python',
};

function readLanguage(value: unknown, field: string): Language {
  const name = typeof value === 'string' ? value.toLowerCase() : '';
  const known = Object.hasOwn(LANGUAGES, name) ? LANGUAGES[name] : undefined;
  if (!known) throw new TaskError(field, 'must be javascript, typescript or python', value);
  return known;
}

/**
 * The imports that judges of programming contests put before every Python program, so that data made for them
 * (LeetCode, APPS, TACO, LiveCodeBench) runs.
 */
const STARRED =
  'string re datetime collections heapq bisect copy math random statistics itertools functools operator typing';
const USUAL_IMPORTS = [
  ...STARRED.split(' ').map((name) => `from ${name} import *`),
  // Last, because star imports bring functions with the names of modules and built-ins.
  `import io, sys, json, time, ${STARRED.replaceAll(' ', ', ')}`,
  'from datetime import datetime',
  'from builtins import *',
].join('; ');

/** Adds the imports that `imports: "usual"` requests. They are on one line, before all other code. */
function withImports(
  { before, after }: CodeReference['setup'],
  { imports, language: name }: read.Fields,
  language: Language,
): CodeReference['setup'] {
  if (imports === undefined || imports === null || imports === 'none') return { before, after };
  if (imports !== 'usual') throw new TaskError('imports', 'must be "usual" or "none"', imports);
  if (language !== 'python') {
    throw new TaskError('imports', 'must be "none" unless the language is python', name);
  }
  return { before: before === '' ? USUAL_IMPORTS : `${USUAL_IMPORTS}\n${before}`, after };
}

/** A string is code before the submitted code. An object `{before, after}` has both. */
function readSetup(value: unknown): CodeReference['setup'] {
  if (value === undefined || value === null) return { before: '', after: '' };
  if (typeof value === 'string') return { before: value, after: '' };
  const { before, after } = read.object(value, 'setup');
  return {
    before: read.optionalText(before, 'setup.before') ?? '',
    after: read.optionalText(after, 'setup.after') ?? '',
  };
}

function readTests(value: unknown, language: Language): CodeTests {
  const fields = read.object(value, 'tests');
  switch (fields.type) {
    case 'call':
      return readCallTests(fields);
    case 'stdio':
      return readStdioTests(fields);
    case 'assert':
      return {
        type: 'assert',
        code: readTestProgram(fields.code, language),
        visible: readVisible(fields, 'tests'),
      };
    default:
      throw new TaskError('tests.type', 'must be call, stdio or assert', fields.type);
  }
}

function readTestProgram(value: unknown, language: Language): string {
  const code = read.text(value, 'tests.code');
  const problem = language === 'python' ? undefined : problemOfTests(code);
  if (problem) throw new TaskError('tests.code', problem, code);
  return code;
}

function readCallTests(fields: read.Fields): CodeTests {
  const entry = read.text(fields.entry, 'tests.entry');
  if (!/^[\p{L}_$][\p{L}\p{N}_$]*(\.[\p{L}_$][\p{L}\p{N}_$]*)?$/u.test(entry)) {
    throw new TaskError('tests.entry', 'must be the name of a function or Class.method', entry);
  }
  const cases = read.list(fields.cases, 'tests.cases').map((item, i) => {
    const at = `tests.cases.${i}`;
    const one = read.object(item, at);
    const args = read.list(one.args, `${at}.args`);
    wireOfJson(args, `${at}.args`); // reports an unknown $type here instead of in the guest
    if (!('expected' in one)) throw new TaskError(`${at}.expected`, 'must be present', undefined);
    return {
      args: JSON.stringify(args),
      expected: wireOfJson(one.expected, `${at}.expected`),
      ...optional('alternatives', readAlternatives(one.alternatives, `${at}.alternatives`)),
      visible: readVisible(one, at),
    };
  });
  return {
    type: 'call',
    entry,
    cases: requireSome(cases),
    ...optional('tolerance', readTolerance(fields)),
  };
}

function readAlternatives(value: unknown, field: string): readonly Wire[] | undefined {
  if (value === undefined || value === null) return undefined;
  return read.list(value, field).map((one, i) => wireOfJson(one, `${field}.${i}`));
}

function readStdioTests(fields: read.Fields): CodeTests {
  const cases = read.list(fields.cases, 'tests.cases').map((item, i) => {
    const at = `tests.cases.${i}`;
    const one = read.object(item, at);
    return {
      input: read.text(one.input, `${at}.input`),
      output: read.optionalText(one.output, `${at}.output`) ?? '',
      visible: readVisible(one, at),
    };
  });
  return {
    type: 'stdio',
    cases: requireSome(cases),
    exact: read.optionalFlag(fields.exact, 'tests.exact') ?? false,
    ignoreCase: read.optionalFlag(fields.ignoreCase, 'tests.ignoreCase') ?? false,
    ...optional('tolerance', readTolerance(fields)),
    ...optional('checker', readChecker(fields.checker)),
  };
}

function requireSome<T>(cases: readonly T[]): readonly T[] {
  if (cases.length === 0) throw new TaskError('tests.cases', 'must have at least one case', cases);
  return cases;
}

function readVisible(fields: read.Fields, at: string): boolean {
  return read.optionalFlag(fields.visible, `${at}.visible`) ?? false;
}

function readTolerance(fields: read.Fields): Tolerance | undefined {
  const value = fields.tolerance;
  if (value === undefined || value === null) return undefined;
  const { relative, absolute } = read.object(value, 'tests.tolerance');
  return {
    relative: read.optionalNumber(relative, 'tests.tolerance.relative', 0) ?? 0,
    absolute: read.optionalNumber(absolute, 'tests.tolerance.absolute', 0) ?? 0,
  };
}

function readChecker(value: unknown): Checker | undefined {
  if (value === undefined || value === null) return undefined;
  const fields = read.object(value, 'tests.checker');
  return {
    language: readLanguage(fields.language, 'tests.checker.language'),
    code: read.text(fields.code, 'tests.checker.code'),
  };
}

const LIMITS = ['cpuMs', 'testCpuMs', 'wallMs', 'memoryMb', 'outputChars', 'sourceChars'] as const;
/** Old names of limits with the new ones. The numbers always were characters. */
const RENAMED_LIMITS = { outputBytes: 'outputChars', sourceBytes: 'sourceChars' } as const;

function readLimits(value: unknown): Partial<RunLimits> {
  if (value === undefined || value === null) return {};
  const fields = read.object(value, 'limits');
  for (const [old, name] of Object.entries(RENAMED_LIMITS)) {
    if (fields[old] === undefined || fields[old] === null) continue;
    throw new TaskError(`limits.${old}`, `was renamed to limits.${name}`, fields[old]);
  }
  const pairs = LIMITS.flatMap((name) => {
    const limit = read.optionalNumber(fields[name], `limits.${name}`, 1);
    return limit === undefined ? [] : [[name, limit] as const];
  });
  return Object.fromEntries(pairs);
}

function optional<K extends string, V>(key: K, value: V | undefined): { [k in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [k in K]?: V });
}
