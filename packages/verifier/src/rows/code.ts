/**
 * Native columns of a code row, from the formats of HumanEval and its relatives, MBPP, APPS and TACO, CodeContests, verl
 * and prime-rl. The columns tell which format a row has; `docs/reference/rows.md` has the table.
 * Leaves out: checking the result, which `parseCodeTask` does.
 */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { TaskError } from '../types.ts';
import { container, references } from './containers.ts';
import { firstOf, fromJsonText, isTextList, own } from './fields.ts';
import { type NativeTests, testsIn } from './tests.ts';

/** Columns that only code rows have. */
export const CODE_FIELDS = [
  'tests',
  'test_list',
  'input_output',
  'entry_point',
  'public_tests',
  'private_tests',
] as const;

/** Native columns that a format implies. Columns of the same name in the row take precedence. */
type NativeColumns = Partial<
  Record<'language' | 'prefix' | 'setup' | 'imports' | 'tests' | 'solution', unknown>
>;

/** @throws {TaskError} naming the column that cannot be read */
export function codeFields(row: UnknownRecord): UnknownRecord {
  const shape = shapeOf(row);
  const language = own(row, 'language') ?? shape.language;
  const implied = Object.entries(shape).filter(([name]) => name !== 'tests' && !(name in row));
  return { ...statementPrompt(row), ...Object.fromEntries(implied), language, tests: shape.tests };
}

/** The task text from another column than `prompt`, as a message: a response does not continue it like a code prefix. */
function statementPrompt(row: UnknownRecord): UnknownRecord {
  if (firstOf(row, ['prompt', 'messages']) !== undefined) return {};
  const name = firstOf(row, ['question', 'problem', 'text', 'description']);
  const content = name === undefined ? undefined : row[name];
  return typeof content === 'string' ? { prompt: [{ role: 'user', content }] } : {};
}

function shapeOf(row: UnknownRecord): NativeColumns {
  if (firstOf(row, ['tests']) !== undefined) return nativeShape(row);
  if (firstOf(row, ['test_list']) !== undefined) return mbppShape(row);
  if (firstOf(row, ['entry_point']) !== undefined) return humanEvalShape(row);
  if (firstOf(row, ['input_output']) !== undefined) {
    return pythonShape(required(row.input_output, 'input_output'));
  }
  if (firstOf(row, ['public_tests', 'private_tests']) !== undefined) return contestShape(row);
  return referenceShape(row);
}

function nativeShape(row: UnknownRecord): NativeColumns {
  const raw = fromJsonText(row.tests);
  if (isRecord(raw) && typeof raw.type === 'string') return { tests: testsIn(raw, 'tests') ?? raw };
  const tests = required(raw, 'tests');
  return own(row, 'language') === undefined ? pythonShape(tests) : { tests };
}

function required(value: unknown, field: string): NativeTests {
  const tests = testsIn(value, field);
  if (tests) return tests;
  throw new TaskError(
    field,
    'expected tests: {type, ...}, a list of assertions, {inputs, outputs, fn_name?} or a list of {input, output}',
    value,
  );
}

/** Tests without a language are Python. Programs for function tests are usually written as if common imports were there. */
function pythonShape(tests: NativeTests): NativeColumns {
  const imports = tests.type === 'call' ? { imports: 'usual' } : {};
  return { language: 'python', prefix: '', tests, ...imports };
}

/** MBPP runs `test_setup_code` after the program: in tasks 367 and 927 it uses a class of the program. */
function mbppShape(row: UnknownRecord): NativeColumns {
  const imports = own(row, 'test_imports');
  const before = isTextList(imports) ? imports.join('\n') : '';
  const after = own(row, 'test_setup_code') ?? '';
  const solution = own(row, 'code');
  return {
    language: 'python',
    prefix: '',
    setup: { before, after },
    tests: required(row.test_list, 'test_list'),
    ...(typeof solution === 'string' ? { solution } : {}),
  };
}

const ID_LANGUAGE: Readonly<Record<string, string>> = {
  humaneval: 'python',
  humanevalplus: 'python',
  python: 'python',
  javascript: 'javascript',
  mbjsp: 'javascript',
  mbtsp: 'typescript',
  mbpp: 'python',
};

/** HumanEval, HumanEval-X, HumanEvalFix, MBXP: the response continues `prompt`, `test` is a program. */
function humanEvalShape(row: UnknownRecord): NativeColumns {
  const { test, entry_point: entry } = row;
  if (typeof test !== 'string') throw new TaskError('test', 'expected a test program', test);
  if (typeof entry !== 'string') {
    throw new TaskError('entry_point', 'expected the name of a function', entry);
  }
  const set = String(own(row, 'task_id') ?? '')
    .split('/')[0]!
    .toLowerCase();
  const language =
    own(row, 'language') ??
    (Object.hasOwn(ID_LANGUAGE, set) ? ID_LANGUAGE[set] : inferLanguage(test));
  const solution = own(row, 'canonical_solution');
  return {
    language,
    tests: { type: 'assert', code: appendCall(test, entry) },
    ...(typeof solution === 'string' ? { solution } : {}),
  };
}

/** Tests of HumanEval only define `check`, so a call is appended. Those of its relatives call it, or are whole programs. */
function appendCall(test: string, entry: string): string {
  const defines = /^def check\(/m.test(test);
  return defines && !/^check\(/m.test(test) ? `${test}\ncheck(${entry})` : test;
}

/** A top-level `def name(` is only Python; for any other test the row must name the language. */
function inferLanguage(test: string): string | undefined {
  return /^def \w+\(/m.test(test) ? 'python' : undefined;
}

/** CodeContests: public, private and generated tests, each `{input: [...], output: [...]}`. */
function contestShape(row: UnknownRecord): NativeColumns {
  const names = ['public_tests', 'private_tests', 'generated_tests'] as const;
  const parts = names.filter((name) => firstOf(row, [name]) !== undefined);
  const cases = parts.flatMap((name) => {
    const value = fromJsonText(row[name]);
    const isEmpty = isRecord(value) && Array.isArray(value.input) && value.input.length === 0;
    return isEmpty ? [] : casesOf(required(value, name));
  });
  return { language: 'python', prefix: '', tests: { type: 'stdio', cases } };
}

function casesOf(tests: NativeTests): readonly unknown[] {
  return Array.isArray(tests.cases) ? tests.cases : [];
}

/** Tests inside `ground_truth`, `reward_model`, `info` or `verification_info`. */
function referenceShape(row: UnknownRecord): NativeColumns {
  for (const { name, value } of testHolders(row)) {
    const tests = testsIn(value, name);
    if (!tests) continue;
    const language = own(container(row, 'verification_info') ?? container(row, 'info'), 'language');
    return language === undefined ? pythonShape(tests) : { ...pythonShape(tests), language };
  }
  throw new TaskError(
    'tests',
    'is missing: a code row needs tests, test_list, input_output, entry_point with test, or a ground truth that holds tests',
    undefined,
  );
}

function testHolders(row: UnknownRecord): { name: string; value: unknown }[] {
  const whole = ['verification_info', 'info'].map((name) => ({
    name,
    value: container(row, name),
  }));
  const inside = references(row).filter(({ field }) => !field.endsWith('solution'));
  return [...inside.map(({ field, value }) => ({ name: field, value })), ...whole];
}

/** The name of the reference or container column that holds tests, if there is one. */
export function testsHolder(row: UnknownRecord): string | undefined {
  return testHolders(row).find(({ name, value }) => testsIn(value, name) !== undefined)?.name;
}
