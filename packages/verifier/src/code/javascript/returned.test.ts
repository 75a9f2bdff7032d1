/** Tests of results that are not plain values, and of programs that return at their top level. */
import { afterAll, expect, test } from 'vitest';
import { createCodeVerifier, parseCodeTask } from '../index.ts';

const verifier = createCodeVerifier({ workers: 1, limits: { cpuMs: 1500 } });
afterAll(() => verifier.close());

const judged = async (code: string, expected: unknown) => {
  const cases = [{ args: [], expected }];
  const task = parseCodeTask({ language: 'js', tests: { type: 'call', entry: 'f', cases } });
  const verdict = await verifier.verify(task, code);
  if (verdict.kind !== 'judged') throw new Error(verdict.detail);
  return verdict;
};

test.each([
  ['a generator', 'function* f() { yield 1; yield 2; return 3 }'],
  ['a promise of a generator', 'async function f() { return (function* () { yield* [1, 2] })() }'],
  ['an iterator of a list', 'const f = () => [1, 2].values()'],
  ['keys of a map', 'const f = () => new Map([[1, 0], [2, 0]]).keys()'],
  ['an iterator of a set', 'const f = () => new Set([1, 2])[Symbol.iterator]()'],
  ['a mapped iterator', 'const f = () => [0, 1].values().map((x) => x + 1)'],
  [
    'a generator whose next was patched',
    'Object.getPrototypeOf(function* () {}).prototype.next = () => ({ done: true }); function* f() { yield 1; yield 2 }',
  ],
])('%s is compared as the list of its items', async (_name, code) => {
  expect((await judged(code, [1, 2])).status).toBe('accepted');
  expect((await judged(code, {})).status).toBe('wrong_answer');
});

test('iterators of strings and of matches are compared as lists too', async () => {
  expect((await judged('const f = () => "ab"[Symbol.iterator]()', ['a', 'b'])).status).toBe(
    'accepted',
  );
  expect((await judged('const f = () => "ab".matchAll(/./g)', [['a'], ['b']])).status).toBe(
    'accepted',
  );
});

test('an endless generator ends at the output limit', async () => {
  expect((await judged('function* f() { while (true) yield }', [])).status).toBe('output_limit');
});

test('an error in a generator is an error of the program', async () => {
  const verdict = await judged('function* f() { yield 1; null.x }', [1]);
  expect(verdict.status).toBe('runtime_error');
  expect(JSON.stringify(verdict)).toContain("reading 'x'");
});

test('after a return at the top level only exports can be called', async () => {
  const early = await judged('const f = () => 1; return f()', 1);
  expect(early.status).toBe('runtime_error');
  expect(JSON.stringify(early)).toContain('returns at its top level, before f is known');
  expect((await judged('module.exports = { f: () => 1 }; return 1', 1)).status).toBe('accepted');
  const ran = await verifier.run({ language: 'javascript', source: 'return console.log(1), 2' });
  expect(ran).toMatchObject({ exitCode: 0, stdout: '1\n', stderr: '' });
});
