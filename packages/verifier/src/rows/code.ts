/**
 * Code rows of public data sets and trainers as native ones: HumanEval and its kin, MBPP, APPS and
 * TACO, CodeContests, verl, prime-rl. The shapes are told apart by their columns; `docs/verify.md` has the table.
 * Leaves out: checking the result, which `parseCodeTask` does.
 */
import { TaskError } from '../types.ts';
import { container, references } from './containers.ts';
import { firstOf, fromJsonText, isRecord, isTextList, own, type Row } from './fields.ts';
import { type NativeTests, testsIn } from './tests.ts';

/** Columns that only rows about code have. */
export const CODE_FIELDS = [
  'tests',
  'test_list',
  'input_output',
  'entry_point',
  'public_tests',
  'private_tests',
] as const;

/** What a shape says about its row; the row's own fields of the same names win. */
type Native = Partial<
  Record<'language' | 'prefix' | 'setup' | 'imports' | 'tests' | 'solution', unknown>
>;

/** The native fields of a code row. @throws {TaskError} naming the column that cannot be read */
export function codeFields(row: Row): Row {
  const shape = shapeOf(row);
  const language = own(row, 'language') ?? shape.language;
  const kept = Object.entries(shape).filter(([name]) => name !== 'tests' && !(name in row));
  return { ...statement(row), ...Object.fromEntries(kept), language, tests: shape.tests };
}

/** What is asked, where it stands in another column than `prompt`: as a turn, since no answer continues it. */
function statement(row: Row): Row {
  if (firstOf(row, ['prompt', 'messages']) !== undefined) return {};
  const name = firstOf(row, ['question', 'problem', 'text', 'description']);
  const content = name === undefined ? undefined : row[name];
  return typeof content === 'string' ? { prompt: [{ role: 'user', content }] } : {};
}

function shapeOf(row: Row): Native {
  if (firstOf(row, ['tests']) !== undefined) return nativeShape(row);
  if (firstOf(row, ['test_list']) !== undefined) return mbppShape(row);
  if (firstOf(row, ['entry_point']) !== undefined) return humanEvalShape(row);
  if (firstOf(row, ['input_output']) !== undefined) {
    return pythonShape(required(row.input_output, 'input_output'));
  }
  if (firstOf(row, ['public_tests', 'private_tests']) !== undefined) return contestShape(row);
  return referenceShape(row);
}

function nativeShape(row: Row): Native {
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
    'must be tests: {type, ...}, a list of assertions, {inputs, outputs, fn_name?} or a list of {input, output}',
    value,
  );
}

/** Sets whose tests come without a language are Python's; answers to interview-style problems take imports for granted. */
function pythonShape(tests: NativeTests): Native {
  const imports = tests.type === 'call' ? { imports: 'usual' } : {};
  return { language: 'python', prefix: '', tests, ...imports };
}

/** MBPP runs `test_setup_code` after the answer: in tasks 367 and 927 it uses a class of the answer. */
function mbppShape(row: Row): Native {
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

/** HumanEval, HumanEval-X, HumanEvalFix, MBXP: the answer continues `prompt`, `test` is a program. */
function humanEvalShape(row: Row): Native {
  const { test, entry_point: entry } = row;
  if (typeof test !== 'string') throw new TaskError('test', 'must be a test program', test);
  if (typeof entry !== 'string') throw new TaskError('entry_point', 'must be a name', entry);
  const set = String(own(row, 'task_id') ?? '')
    .split('/')[0]!
    .toLowerCase();
  const language =
    own(row, 'language') ?? (Object.hasOwn(ID_LANGUAGE, set) ? ID_LANGUAGE[set] : guessed(test));
  const solution = own(row, 'canonical_solution');
  return {
    language,
    tests: { type: 'assert', code: withCall(test, entry) },
    ...(typeof solution === 'string' ? { solution } : {}),
  };
}

/** HumanEval's tests only define `check`; those of its kin call it, or are programs. */
function withCall(test: string, entry: string): string {
  const defines = /^def check\(/m.test(test);
  return defines && !/^check\(/m.test(test) ? `${test}\ncheck(${entry})` : test;
}

/** `def check(` is Python and nothing else; other tests need a language that the row names. */
const guessed = (test: string) => (/^def \w+\(/m.test(test) ? 'python' : undefined);

/** CodeContests: public, private and generated tests, each `{input: [...], output: [...]}`. */
function contestShape(row: Row): Native {
  const names = ['public_tests', 'private_tests', 'generated_tests'] as const;
  const parts = names.filter((name) => firstOf(row, [name]) !== undefined);
  const cases = parts.flatMap((name) => {
    const value = fromJsonText(row[name]);
    const isEmpty = isRecord(value) && Array.isArray(value.input) && value.input.length === 0;
    return isEmpty ? [] : casesOf(required(value, name));
  });
  return { language: 'python', prefix: '', tests: { type: 'stdio', cases } };
}

const casesOf = (tests: NativeTests) => (Array.isArray(tests.cases) ? tests.cases : []);

/** Tests inside `ground_truth`, `reward_model`, `info` or `verification_info`. */
function referenceShape(row: Row): Native {
  for (const { name, value } of testHolders(row)) {
    const tests = testsIn(value, name);
    if (!tests) continue;
    const language = own(container(row, 'verification_info') ?? container(row, 'info'), 'language');
    return language === undefined ? pythonShape(tests) : { ...pythonShape(tests), language };
  }
  throw new TaskError(
    'tests',
    'are missing: a code row needs tests, test_list, input_output, entry_point with test, or a ground truth that holds tests',
    undefined,
  );
}

function testHolders(row: Row): { name: string; value: unknown }[] {
  const whole = ['verification_info', 'info'].map((name) => ({
    name,
    value: container(row, name),
  }));
  const inside = references(row).filter(({ field }) => !field.endsWith('solution'));
  return [...inside.map(({ field, value }) => ({ name: field, value })), ...whole];
}

/** Does a reference column, or a container, hold tests? Names it. */
export function testsHolder(row: Row): string | undefined {
  return testHolders(row).find(({ name, value }) => testsIn(value, name) !== undefined)?.name;
}
