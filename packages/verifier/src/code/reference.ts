/**
 * What a code task is judged by, and how a row of a data set becomes one. The row's shape is the one
 * of `cipo verify`; fields that are not known are left alone. See `docs/design/code.md`.
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

/** `visible`: details of this test may enter a correction prompt. Others only reach the operator. */
interface Shown {
  readonly visible: boolean;
}

export interface CallCase extends Shown {
  /** JSON text of the list of arguments, `$type` objects included. */
  readonly args: string;
  readonly expected: Wire;
  /** Further results that are right too. */
  readonly alternatives?: readonly Wire[];
}

export interface StdioCase extends Shown {
  readonly input: string;
  readonly output: string;
}

export interface Checker {
  readonly language: Language;
  readonly code: string;
}

export type CodeTests =
  | {
      readonly type: 'call';
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
  | ({ readonly type: 'assert'; readonly code: string } & Shown);

export interface CodeReference {
  readonly language: Language;
  /** Code that a response without the whole program continues. */
  readonly prefix: string;
  readonly setup: { readonly before: string; readonly after: string };
  readonly tests: CodeTests;
  readonly limits: Partial<RunLimits>;
  /** Report the first failing test only and stop at the first that does not come to an end. */
  readonly stopAtFirst: boolean;
  /** The response is the program itself: nothing is read out of fences or thoughts. */
  readonly verbatim?: boolean;
  /** A solution known to be right, where the row has one. Never leaves the operator's side. */
  readonly solution?: string;
}

/**
 * Reads one row: `language`, `tests`, and optionally `id`, `prompt`, `prefix`, `setup`, `limits`,
 * `stopAtFirst`, `verbatim`, `solution`.
 *
 * `prompt` is the chat prompt, as text or as messages. As text it is also the prefix that the
 * response may continue, unless `prefix` says otherwise (`""` for none).
 * @throws {TaskError} naming the field
 */
export function parseCodeTask(row: unknown): Task<CodeReference> {
  const fields = read.object(row, 'row');
  const prompt = fields.prompt;
  const programming = language(fields.language, 'language');
  const reference: CodeReference = {
    language: programming,
    prefix:
      read.optionalText(fields.prefix, 'prefix') ?? (typeof prompt === 'string' ? prompt : ''),
    setup: withImports(setup(fields.setup), fields),
    tests: tests(fields.tests, programming),
    limits: limits(fields.limits),
    stopAtFirst: read.optionalFlag(fields.stopAtFirst, 'stopAtFirst') ?? false,
    ...optional('verbatim', read.optionalFlag(fields.verbatim, 'verbatim')),
    ...optional('solution', read.optionalText(fields.solution, 'solution')),
  };
  const messages = readPrompt(fields);
  const id = readId(fields) ?? contentId(messages, reference);
  return { id, domain: 'code', prompt: messages, reference };
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

function language(value: unknown, field: string): Language {
  const name = typeof value === 'string' ? value.toLowerCase() : '';
  const known = Object.hasOwn(LANGUAGES, name) ? LANGUAGES[name] : undefined;
  if (!known) throw new TaskError(field, 'must be javascript, typescript or python', value);
  return known;
}

/**
 * What judges of programming contests put before every Python answer, so that data made for them
 * (LeetCode, APPS, TACO, LiveCodeBench) runs. On one line: an answer's lines keep their numbers.
 */
const STARRED =
  'string re datetime collections heapq bisect copy math random statistics itertools functools operator typing';
const USUAL_IMPORTS = [
  ...STARRED.split(' ').map((name) => `from ${name} import *`),
  // Last, because stars bring functions that are called like modules and built-ins.
  `import io, sys, json, time, ${STARRED.replaceAll(' ', ', ')}`,
  'from datetime import datetime',
  'from builtins import *',
].join('; ');

/** `imports: "usual"` puts them first. */
function withImports(
  { before, after }: { before: string; after: string },
  { imports, language: name }: read.Fields,
): { before: string; after: string } {
  if (imports === undefined || imports === null || imports === 'none') return { before, after };
  if (imports !== 'usual') throw new TaskError('imports', 'must be "usual" or "none"', imports);
  if (language(name, 'language') !== 'python') {
    throw new TaskError('imports', 'are Python only; "usual" needs the language python', name);
  }
  return { before: before === '' ? USUAL_IMPORTS : `${USUAL_IMPORTS}\n${before}`, after };
}

/** A text stands before the solution; `{before, after}` says it for each. */
function setup(value: unknown): { before: string; after: string } {
  if (value === undefined || value === null) return { before: '', after: '' };
  if (typeof value === 'string') return { before: value, after: '' };
  const { before, after } = read.object(value, 'setup');
  return {
    before: read.optionalText(before, 'setup.before') ?? '',
    after: read.optionalText(after, 'setup.after') ?? '',
  };
}

function tests(value: unknown, programming: Language): CodeTests {
  const fields = read.object(value, 'tests');
  switch (fields.type) {
    case 'call':
      return callTests(fields);
    case 'stdio':
      return stdioTests(fields);
    case 'assert':
      return {
        type: 'assert',
        code: testProgram(fields.code, programming),
        visible: visible(fields, 'tests'),
      };
    default:
      throw new TaskError('tests.type', 'must be call, stdio or assert', fields.type);
  }
}

function testProgram(value: unknown, programming: Language): string {
  const code = read.text(value, 'tests.code');
  const problem = programming === 'python' ? undefined : problemOfTests(code);
  if (problem) throw new TaskError('tests.code', problem, code);
  return code;
}

function callTests(fields: read.Fields): CodeTests {
  const entry = read.text(fields.entry, 'tests.entry');
  if (!/^[\p{L}_$][\p{L}\p{N}_$]*(\.[\p{L}_$][\p{L}\p{N}_$]*)?$/u.test(entry)) {
    throw new TaskError('tests.entry', 'must be the name of a function or Class.method', entry);
  }
  const cases = read.list(fields.cases, 'tests.cases').map((item, i) => {
    const at = `tests.cases.${i}`;
    const one = read.object(item, at);
    const args = read.list(one.args, `${at}.args`);
    wireOfJson(args, `${at}.args`); // refuses an unknown $type now, not in the guest
    if (!('expected' in one)) throw new TaskError(`${at}.expected`, 'is missing', undefined);
    return {
      args: JSON.stringify(args),
      expected: wireOfJson(one.expected, `${at}.expected`),
      ...optional('alternatives', alternatives(one.alternatives, `${at}.alternatives`)),
      visible: visible(one, at),
    };
  });
  return { type: 'call', entry, cases: some(cases), ...optional('tolerance', tolerance(fields)) };
}

function alternatives(value: unknown, field: string): readonly Wire[] | undefined {
  if (value === undefined || value === null) return undefined;
  return read.list(value, field).map((one, i) => wireOfJson(one, `${field}.${i}`));
}

function stdioTests(fields: read.Fields): CodeTests {
  const cases = read.list(fields.cases, 'tests.cases').map((item, i) => {
    const at = `tests.cases.${i}`;
    const one = read.object(item, at);
    return {
      input: read.text(one.input, `${at}.input`),
      output: read.optionalText(one.output, `${at}.output`) ?? '',
      visible: visible(one, at),
    };
  });
  return {
    type: 'stdio',
    cases: some(cases),
    exact: read.optionalFlag(fields.exact, 'tests.exact') ?? false,
    ignoreCase: read.optionalFlag(fields.ignoreCase, 'tests.ignoreCase') ?? false,
    ...optional('tolerance', tolerance(fields)),
    ...optional('checker', checker(fields.checker)),
  };
}

function some<T>(cases: readonly T[]): readonly T[] {
  if (cases.length === 0) throw new TaskError('tests.cases', 'must not be empty', cases);
  return cases;
}

function visible(fields: read.Fields, at: string): boolean {
  return read.optionalFlag(fields.visible, `${at}.visible`) ?? false;
}

function tolerance(fields: read.Fields): Tolerance | undefined {
  const value = fields.tolerance;
  if (value === undefined || value === null) return undefined;
  const { relative, absolute } = read.object(value, 'tests.tolerance');
  return {
    relative: read.optionalNumber(relative, 'tests.tolerance.relative', 0) ?? 0,
    absolute: read.optionalNumber(absolute, 'tests.tolerance.absolute', 0) ?? 0,
  };
}

function checker(value: unknown): Checker | undefined {
  if (value === undefined || value === null) return undefined;
  const fields = read.object(value, 'tests.checker');
  return {
    language: language(fields.language, 'tests.checker.language'),
    code: read.text(fields.code, 'tests.checker.code'),
  };
}

const LIMITS = ['cpuMs', 'testCpuMs', 'wallMs', 'memoryMb', 'outputBytes', 'sourceBytes'] as const;

function limits(value: unknown): Partial<RunLimits> {
  if (value === undefined || value === null) return {};
  const fields = read.object(value, 'limits');
  const pairs = LIMITS.flatMap((name) => {
    const limit = read.optionalNumber(fields[name], `limits.${name}`, 1);
    return limit === undefined ? [] : [[name, limit] as const];
  });
  return Object.fromEntries(pairs);
}

function optional<K extends string, V>(key: K, value: V | undefined): { [k in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [k in K]?: V });
}
