import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCodeTask } from '../code/index.ts';
import { TaskError } from '../types.ts';
import { parseMarked } from './fields.ts';
import { type NormalizeOptions, normalizeRow, parseJson, readId } from './index.ts';

const turns = [{ role: 'user', content: 'one half?' }];
const reply = [{ role: 'assistant', content: '\\boxed{0.5}' }];

/** The columns that a domain is given. */
function fieldsOf(row: unknown, options?: NormalizeOptions) {
  return normalizeRow(row, options).fields;
}

function refusal(row: unknown): { field: string; problem: string } {
  try {
    normalizeRow(row);
  } catch (error) {
    if (error instanceof TaskError) return { field: error.field, problem: error.problem };
    throw error;
  }
  throw new Error('the row was read');
}

describe('math rows', () => {
  test.each([
    ['native', { answer: '1/2' }],
    ['ground_truth', { ground_truth: '1/2' }],
    ['final_answer', { final_answer: '1/2' }],
    ['expected_answer', { expected_answer: '1/2' }],
    ['solution', { solution: 'so \\boxed{1/2}' }],
    ['verl', { data_source: 'x', reward_model: { style: 'rule', ground_truth: '1/2' } }],
    ['verl as JSON text', { reward_model: '{"ground_truth": "1/2"}' }],
    ['verifiers', { info: { answer: '1/2' } }],
    ['prime-rl', { verification_info: '{"ground_truth": "1/2"}', task_type: 'verifiable_math' }],
    ['a list of one', { answer: ['1/2'] }],
    ['the JSON text of a list of one', { reward_model: { ground_truth: '["1/2"]' } }],
    ['an empty answer beside the one in info', { answer: '', info: { answer: '1/2' } }],
  ])('%s: the reference is found and the domain is math', (_name, row) => {
    const { domain, fields } = normalizeRow(row);
    expect(domain).toBe('math');
    expect(fields.answer).toBe('solution' in row ? row.solution : '1/2');
  });

  test('a math row prefers its answer to the solution that explains it', () => {
    expect(fieldsOf({ solution: 'long \\boxed{2}', answer: '2' })).toMatchObject({
      answer: '2',
    });
  });

  test('a math row without a reference is refused with the names of all columns that can hold one', () => {
    let message = '';
    try {
      normalizeRow({ domain: 'math', response: '1' });
    } catch (error) {
      message = String(error);
    }
    expect(message).toBe(
      'TaskError: answer: is missing: a math row needs answer, ground_truth, final_answer, expected_answer, solution, or one of them in reward_model, verification_info, info, extra_info',
    );
  });

  test('a LaTeX list is one answer; a list of several texts is refused', () => {
    expect(fieldsOf({ answer: '[1, 2]' })).toMatchObject({ answer: '[1, 2]' });
    expect(refusal({ answer: ['1', '2'] })).toEqual({
      field: 'answer',
      problem: 'expected one of the answers, got 2',
    });
  });

  test('the question of a math row comes from its own column or from extra_info', () => {
    expect(fieldsOf({ answer: '1', problem: 'p' })).toMatchObject({ question: 'p' });
    const verl = { reward_model: { ground_truth: '1' }, extra_info: { question: 'q' } };
    expect(fieldsOf(verl)).toMatchObject({ question: 'q' });
  });

  test('integers stay exact on Node 20 too, where JSON.parse does not report the source', () => {
    const text =
      '{"a": [12345678901234567890, -9007199254740993, 1.5, 1e20], "s": "12345678901234567"}';
    expect(parseMarked(text)).toEqual(parseJson(text));
    expect(parseMarked('[9007199254740991, 1000000000000000]')).toEqual([
      9007199254740991, 1000000000000000,
    ]);
    for (const malformed of [
      '[012345678901234567]',
      '{12345678901234567: 1}',
      '12345678901234567x',
    ]) {
      expect(() => parseMarked(malformed)).toThrow(SyntaxError);
    }
  });

  test('parseJson keeps integers of any size exact', () => {
    const row = parseJson('{"answer": 12345678901234567890}');
    expect(String(fieldsOf(row).answer)).toBe('12345678901234567890');
    expect(parseJson('[1.5, 1e20, 12345678901234567]')).toEqual([1.5, 1e20, 12345678901234567n]);
  });
});

describe('the response', () => {
  test.each([
    ['response', { response: '\\boxed{0.5}' }],
    ['completion', { completion: '\\boxed{0.5}' }],
    ['completion as turns', { completion: reply }],
    ['completions of one', { completions: ['\\boxed{0.5}'] }],
    ['completions of one, as turns', { completions: [reply] }],
    ['solution_str', { solution_str: '\\boxed{0.5}' }],
    ['output', { output: '\\boxed{0.5}' }],
    ['the last turn', { messages: [...turns, ...reply] }],
    ['two columns that agree', { completion: reply, output: '\\boxed{0.5}' }],
  ])('the response is found in %s', (_name, row) => {
    expect(normalizeRow({ answer: '1/2', ...row }).response).toBe('\\boxed{0.5}');
  });

  test('the prompt of a messages column ends before the response', () => {
    expect(normalizeRow({ answer: '1', messages: [...turns, ...reply] }).prompt).toEqual(turns);
    expect(normalizeRow({ answer: '1', messages: turns })).toMatchObject({ prompt: turns });
    expect(normalizeRow({ answer: '1', messages: turns }).response).toBeUndefined();
  });

  test('an empty response counts as a response', () => {
    expect(normalizeRow({ answer: '1', response: '' }).response).toBe('');
  });

  test('responses that differ between columns, and several responses in one row, are refused', () => {
    expect(refusal({ answer: '1', completion: 'a', output: 'b' })).toEqual({
      field: 'response',
      problem: 'is ambiguous: completion and output differ',
    });
    expect(refusal({ answer: '1', completions: ['a', 'b'] }).problem).toMatch(
      /one of the responses, got 2/,
    );
    expect(refusal({ answer: '1', response: 7 }).field).toBe('response');
  });
});

const stdio = { type: 'stdio', cases: [{ input: '1 2\n', output: '3\n' }] };
const asserts = { type: 'assert', code: 'assert f(1) == 2' };

describe('code rows', () => {
  test.each([
    ['native', { language: 'python', tests: asserts }, asserts],
    ['native as JSON text', { language: 'python', tests: JSON.stringify(asserts) }, asserts],
    ['a list of assertions', { tests: ['assert f(1) == 2'] }, asserts],
    ['MBPP', { test_list: ['assert f(1) == 2'] }, asserts],
    ['APPS', { input_output: JSON.stringify({ inputs: ['1 2\n'], outputs: ['3\n'] }) }, stdio],
    ['APPS as an object', { input_output: { inputs: ['1 2\n'], outputs: ['3\n'] } }, stdio],
    [
      'verl',
      { reward_model: { ground_truth: JSON.stringify({ inputs: ['1 2\n'], outputs: ['3\n'] }) } },
      stdio,
    ],
    ['verl, assertions', { reward_model: { ground_truth: '["assert f(1) == 2"]' } }, asserts],
    [
      'verl, assert_case',
      { reward_model: { ground_truth: JSON.stringify({ assert_case: ['assert f(1) == 2'] }) } },
      asserts,
    ],
    ['open-instruct', { ground_truth: ['assert f(1) == 2'] }, asserts],
    [
      'prime-rl',
      {
        verification_info: JSON.stringify({
          language: 'python',
          test_cases: [{ type: 'stdin_stdout', input: '1 2\n', output: '3\n', fn_name: null }],
        }),
      },
      stdio,
    ],
    ['verifiers', { answer: '', info: { tests: [{ input: '1 2\n', output: '3\n' }] } }, stdio],
    [
      'CodeContests',
      {
        public_tests: { input: ['1 2\n'], output: ['3\n'] },
        private_tests: { input: [], output: [] },
      },
      stdio,
    ],
    [
      'lines of a program’s input',
      { input_output: { inputs: [['1', '2']], outputs: [['3']] } },
      { type: 'stdio', cases: [{ input: '1\n2', output: '3' }] },
    ],
  ])('%s: tests, language and domain are found', (_name, row, tests) => {
    const fields = fieldsOf(row);
    expect(fields).toMatchObject({ domain: 'code', language: 'python', tests });
    expect(parseCodeTask(fields).reference.tests.type).toBe(tests.type);
  });

  test('tests of a named function take their arguments from lines of JSON or from a list', () => {
    const written = { fn_name: 'f', inputs: ['[1, 2]\n"x"'], outputs: ['[1]'] };
    expect(fieldsOf({ reward_model: { ground_truth: JSON.stringify(written) } }).tests).toEqual({
      type: 'call',
      entry: 'f',
      cases: [{ args: [[1, 2], 'x'], expected: [1] }],
    });
    const listed = { fn_name: 'f', inputs: [[1, 'x']], outputs: [[5]] };
    expect(fieldsOf({ input_output: listed })).toMatchObject({
      imports: 'usual',
      tests: { cases: [{ args: [1, 'x'], expected: [5], alternatives: [5] }] },
    });
  });

  test('an integer that a double cannot hold becomes a bigint of the tests', () => {
    const io = '{"fn_name": "f", "inputs": ["12345678901234567890"], "outputs": ["1"]}';
    const { cases } = Object(fieldsOf({ input_output: io }).tests);
    expect(cases[0].args).toEqual([{ $type: 'bigint', value: '12345678901234567890' }]);
  });

  test('a HumanEval row gets its check call appended once and its language from the task id', () => {
    const row = { prompt: 'def f(x):\n', entry_point: 'f', test: 'def check(c):\n    assert c(1)' };
    const fields = fieldsOf({
      task_id: 'HumanEval/0',
      canonical_solution: ' return 1',
      ...row,
    });
    expect(fields).toMatchObject({ id: 'HumanEval/0', language: 'python', solution: ' return 1' });
    expect(fields.tests).toEqual({ type: 'assert', code: `${row.test}\ncheck(f)` });
    const calls = { ...row, test: `${row.test}\n\ncheck(f)` };
    expect(fieldsOf(calls).tests).toEqual({ type: 'assert', code: calls.test });
    const script = { ...row, task_id: 'JavaScript/0', test: 'console.assert(f(1))' };
    expect(fieldsOf(script)).toMatchObject({ language: 'javascript' });
  });

  test('an MBPP row runs imports before and setup after, and its text becomes a message', () => {
    const fields = fieldsOf({
      task_id: 601,
      text: 'Write it.',
      test_imports: ['import math'],
      test_setup_code: 'root = Node()',
      test_list: ['assert f(1) == 2'],
      code: 'def f(x): ...',
    });
    expect(fields).toMatchObject({
      id: '601',
      prefix: '',
      prompt: [{ role: 'user', content: 'Write it.' }],
      setup: { before: 'import math', after: 'root = Node()' },
      solution: 'def f(x): ...',
    });
  });

  test('different numbers of inputs and outputs are refused', () => {
    expect(refusal({ input_output: { inputs: ['1', '2'], outputs: ['1'] } })).toEqual({
      field: 'input_output',
      problem: 'expected as many outputs as inputs, got 2 inputs and 1 outputs',
    });
  });
});

describe('the domain of a row', () => {
  test('the domain that a row names takes precedence over the option', () => {
    expect(normalizeRow({ domain: 'chess', answer: '1' }, { domain: 'math' }).domain).toBe('chess');
  });

  test('columns of two domains are refused and named', () => {
    const both = { tests: ['assert f(1) == 2'], answer: '2' };
    expect(refusal(both)).toEqual({
      field: 'domain',
      problem: 'is missing and ambiguous: tests means code, answer means math; set `domain`',
    });
    expect(normalizeRow({ ...both, ability: 'code' }).domain).toBe('code');
    expect(normalizeRow({ ...both, domain: 'math' }).domain).toBe('math');
  });

  test('columns of no domain are refused and listed', () => {
    expect(refusal({ question: 'q', response: 'r' })).toMatchObject({ field: 'domain' });
    expect(refusal({ question: 'q' }).problem).toContain('the columns are question');
  });

  test('a label column may name a plug-in domain', () => {
    const row = { data_source: 'countdown', reward_model: { ground_truth: { target: 24 } } };
    expect(fieldsOf(row, { labels: ['countdown'] })).toMatchObject({
      domain: 'countdown',
      target: 24,
      ground_truth: { target: 24 },
    });
  });

  test('a row that is not an object is refused', () => {
    for (const row of [null, undefined, 7, 'text', []]) expect(refusal(row).field).toBe('row');
  });
});

test('the id is the row’s own, its data set’s, or the source, split and index of verl', () => {
  expect(normalizeRow({ answer: '1', id: 7 }).id).toBe('7');
  expect(normalizeRow({ answer: '1', unique_id: 'u' }).id).toBe('u');
  const verl = { data_source: 'gsm8k', extra_info: { split: 'test', index: 3 } };
  expect(normalizeRow({ answer: '1', ...verl }).id).toBe('gsm8k/test/3');
  expect(normalizeRow({ answer: '1' }).id).toBeUndefined();
  expect(readId(['a', 'list'])).toBeUndefined();
});

test('the prompt is chat messages if it is text or messages, and absent otherwise', () => {
  const text = normalizeRow({ answer: '1', prompt: 'one half?' });
  expect(text.prompt).toEqual(turns);
  expect(text.fields.prompt).toBe('one half?');
  expect(normalizeRow({ domain: 'chess', prompt: { board: 'e4' } })).not.toHaveProperty('prompt');
});

test('a row nested 50,000 levels deep is refused with a TaskError', () => {
  const deep = '['.repeat(50_000) + ']'.repeat(50_000);
  expect(refusal({ tests: JSON.parse(`{"type":"call","cases":${deep}}`) })).toEqual({
    field: 'row',
    problem: 'is nested too deeply',
  });
});

test('any JSON row is read or refused with a TaskError, and unknown columns are kept', () => {
  const names = [
    'answer',
    'tests',
    'prompt',
    'info',
    'reward_model',
    'messages',
    'completions',
    'input_output',
    'entry_point',
    'test_list',
    'verification_info',
    '__proto__',
    'extra_info',
  ];
  const row = fc.dictionary(fc.constantFrom(...names), fc.jsonValue());
  fc.assert(
    fc.property(row, fc.jsonValue(), (fields, own) => {
      try {
        expect(fieldsOf({ ...fields, mine: own }).mine).toEqual(own);
      } catch (error) {
        expect(error).toBeInstanceOf(TaskError);
      }
    }),
  );
});
