/** Tests of how rows become code tasks, and of how programs are extracted from responses. */
import { describe, expect, test } from 'vitest';
import { TaskError } from '../types.ts';
import { assemble, readCode, submittedPlace } from './extract.ts';
import { parseCodeTask } from './reference.ts';

const call = { type: 'call', entry: 'f', cases: [{ args: [1], expected: 1 }] };

describe('rows', () => {
  test.each<[string, unknown]>([
    ['row', null],
    ['language', { language: 'cobol', tests: call }],
    ['tests', { language: 'js' }],
    ['tests.type', { language: 'js', tests: { type: 'magic' } }],
    ['tests.entry', { language: 'js', tests: { ...call, entry: 'f(); evil' } }],
    ['tests.cases', { language: 'js', tests: { ...call, cases: [] } }],
    [
      'tests.cases.0.args',
      { language: 'js', tests: { ...call, cases: [{ args: 1, expected: 1 }] } },
    ],
    ['tests.cases.0.expected', { language: 'js', tests: { ...call, cases: [{ args: [] }] } }],
    [
      'tests.cases.0.expected.$type',
      { language: 'js', tests: { ...call, cases: [{ args: [], expected: { $type: 'x' } }] } },
    ],
    [
      'tests.cases.0.visible',
      { language: 'js', tests: { ...call, cases: [{ args: [], expected: 1, visible: 'yes' }] } },
    ],
    ['tests.code', { language: 'python', tests: { type: 'assert' } }],
    ['prompt.0.role', { language: 'js', tests: call, prompt: [{ role: 'god', content: '' }] }],
    ['limits.cpuMs', { language: 'js', tests: call, limits: { cpuMs: 0 } }],
    ['limits.outputBytes', { language: 'js', tests: call, limits: { outputBytes: 9 } }],
    ['limits.sourceBytes', { language: 'js', tests: call, limits: { sourceBytes: 9 } }],
    ['imports', { language: 'js', tests: call, imports: 'usual' }],
    ['imports', { language: 'python', tests: call, imports: 'all' }],
    ['setup.before', { language: 'js', tests: call, setup: { before: 1 } }],
    [
      'tests.checker.code',
      {
        language: 'js',
        tests: { type: 'stdio', cases: [{ input: '' }], checker: { language: 'js' } },
      },
    ],
  ])('a row with a bad %s is refused with that field', (field, row) => {
    expect(() => parseCodeTask(row)).toThrow(TaskError);
    expect(() => parseCodeTask(row)).toThrow(new RegExp(`^${field.replace(/[.$]/g, '\\$&')}: `));
  });

  test('unknown fields of a row are ignored', () => {
    const task = parseCodeTask({ id: 7, language: 'js', tests: call, difficulty: 'hard' });
    expect(task.id).toBe('7');
  });

  test('a task_id is read only if the row has no id', () => {
    const idOf = (fields: object) => parseCodeTask({ language: 'js', tests: call, ...fields }).id;
    expect(idOf({ id: 'a', task_id: { source: 'x' } })).toBe('a');
    expect(idOf({ id: null, task_id: 3 })).toBe('3');
    expect(() => idOf({ task_id: false })).toThrow(/^task_id: /);
  });

  test('a prompt that is a string is also the prefix, unless the row has a prefix', () => {
    const prefixOf = (fields: object) =>
      parseCodeTask({ language: 'js', tests: call, ...fields }).reference.prefix;
    expect(prefixOf({ prompt: 'function f(x) {' })).toBe('function f(x) {');
    expect(prefixOf({ prompt: [{ role: 'user', content: 'function f' }] })).toBe('');
    expect(prefixOf({ prompt: 'function f(x) {', prefix: '' })).toBe('');
  });
});

describe('reading code', () => {
  test.each([
    ['bare text', 'x = 1', 'x = 1', 1],
    ['the last block of the language', '```python\na\n```\n```js\nb\n```\n```py\nc\n```\n', 'c', 8],
    ['a block without a name', 'so:\n```\na\n```', 'a', 3],
    ['a block that was cut off', '```python\na\nb', 'a\nb', 2],
    ['tildes', '~~~python\na\n~~~', 'a', 2],
    ['a fence inside a longer fence', '````python\n```\na\n````', '```\na', 2],
    [
      'only what follows the thinking',
      '<think>```python\nx\n```</think>\n```python\ny\n```',
      'y',
      5,
    ],
  ])('the code is found in %s', (_name, response, text, line) => {
    expect(readCode(response, 'python')).toEqual({ text, line });
  });

  test.each([
    ['backticks and letters', `\`\`\`${'a'.repeat(500_000)}\``],
    ['blanks after a fence', `\`\`\`${' '.repeat(500_000)}\``],
    ['blanks after a keyword', `function${' '.repeat(500_000)}!`],
  ])(
    'extracting code from a response with half a megabyte of %s takes linear time',
    (_name, response) => {
      const { reference } = parseCodeTask({
        language: 'javascript',
        prompt: 'function f(x) {',
        tests: { type: 'assert', code: 'f(1)' },
      });
      expect(assemble(response, reference)?.source).toContain(response);
    },
  );

  const prompt = 'import math\n\ndef f(x):\n    """Doc."""\n';
  const python = parseCodeTask({ language: 'python', prompt, tests: { type: 'assert', code: '' } });

  test('code that continues the prefix is put after it, and its lines map to the response', () => {
    const program = assemble('    y = x\n    return y', python.reference)!;
    expect(program.source).toBe(`${prompt}    y = x\n    return y`);
    expect(submittedPlace(program, { line: 6, column: 5 })).toEqual({ line: 2, column: 5 });
    expect(submittedPlace(program, { line: 3 })).toBeUndefined();
  });

  test('a complete function replaces that of the prefix and keeps the imports', () => {
    const program = assemble('Sure:\n```python\ndef f(x):\n    return x\n```', python.reference)!;
    expect(program.source).toBe(`${prompt}def f(x):\n    return x`);
    expect(submittedPlace(program, { line: 6 })).toEqual({ line: 4, column: 1 });
  });

  test('a prompt in prose is not put before a program', () => {
    const words = parseCodeTask({
      language: 'python',
      prompt: 'Print 1.',
      tests: { type: 'stdio', cases: [{ input: '', output: '1' }] },
    });
    expect(assemble('print(1)', words.reference)!.source).toBe('print(1)');
  });

  test('setup code is put before and after the program', () => {
    const { reference } = parseCodeTask({
      language: 'python',
      setup: { before: 'a = 1', after: 'b = 2' },
      tests: { type: 'assert', code: '' },
    });
    const program = assemble('c = 3', reference)!;
    expect(program.source).toBe('a = 1\nc = 3\nb = 2');
    expect(submittedPlace(program, { line: 2 })).toEqual({ line: 1, column: 1 });
    expect(submittedPlace(program, { line: 3 })).toBeUndefined();
  });
});
