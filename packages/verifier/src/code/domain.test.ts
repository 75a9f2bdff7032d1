/** Tests of verdicts of the code domain on JavaScript call tests. */
import { afterAll, describe, expect, test } from 'vitest';
import type { Verdict } from '../types.ts';
import { codeDomain } from './index.ts';

const domain = codeDomain({ workers: 1, limits: { cpuMs: 400 } });
afterAll(() => domain.close?.());

const row = {
  id: 'add',
  language: 'javascript',
  prompt: [{ role: 'user', content: 'Write add(a, b).' }],
  tests: {
    type: 'call',
    entry: 'add',
    cases: [
      { args: [1, 2], expected: 3, visible: true },
      { args: [70, 7], expected: 77 },
    ],
  },
};
const task = domain.parse(row);
const verdictOn = (text: string) => domain.verify(task, { text, stop: 'end' });
const statusOf = (verdict: Verdict) => (verdict.kind === 'judged' ? verdict.status : verdict.fault);

describe('JavaScript call tests', () => {
  test.each([
    ['a declaration', 'function add(a, b) { return a + b }'],
    ['a const', 'const add = (a, b) => a + b'],
    ['a fenced block among words', 'Here:\n```js\nlet add = (a, b) => a + b;\n```\nDone.'],
    [
      'the last of two blocks',
      '```js\nconst add = 1\n```\n```js\nconst add = (a, b) => a + b\n```',
    ],
    ['code after </think>', '<think>```js\nx\n```</think>\nconst add = (a, b) => a + b'],
    ['an export', 'module.exports = { add: (a, b) => a + b }'],
    ['a default export function', 'module.exports = (a, b) => a + b'],
    ['a class Solution', 'class Solution { add(a, b) { return a + b } }'],
    [
      'an async function with a timer',
      'async function add(a, b) { await new Promise((r) => setTimeout(r, 1e7)); return a + b }',
    ],
  ])('the entry in %s is found and accepted', async (_name, text) => {
    expect(statusOf(await verdictOn(text))).toBe('accepted');
  });

  test.each([
    ['wrong_answer', 'const add = (a, b) => a - b'],
    ['wrong_answer', 'const add = (a, b) => String(a + b)'],
    ['runtime_error', 'const add = (a) => a.b.c'],
    ['compile_error', 'const add = (a, b => a + b'],
    ['missing_entry', 'const sum = (a, b) => a + b'],
    ['unresolved_promise', 'const add = () => new Promise(() => {})'],
    ['time_limit', 'const add = () => { for (;;); }'],
    ['time_limit', 'const add = async () => { for (;;) await null }'],
    [
      'memory_limit',
      'const add = () => { const m = new Map(); for (let i = 0; ; i++) m.set(i, {}) }',
    ],
    ['output_limit', 'const add = () => { for (;;) console.log("flood".repeat(1000)) }'],
    ['output_limit', 'const add = () => "x".repeat(1 << 24)'],
    ['source_limit', `const add = 1; // ${'x'.repeat(70_000)}`],
    ['unreadable_answer', '  \n '],
    ['sandbox_violation', 'const add = () => require("child_process").execSync("id")'],
  ])('the status is %s for %s', async (status, text) => {
    expect(statusOf(await verdictOn(text))).toBe(status);
  });

  test('the failure of a visible test shows the policy input, expected and actual value', async () => {
    const verdict = await verdictOn('const add = (a, b) => a * b');
    const [first] = verdict.kind === 'judged' ? verdict.diagnostics : [];
    expect(first).toMatchObject({
      code: 'wrong-answer',
      audience: 'policy',
      message: 'expected 3, got 2',
      details: { input: '[1,2]', expected: '3', actual: '2' },
    });
  });

  test('nothing of a hidden test reaches the policy, whatever the program throws', async () => {
    const leaky = [
      'const add = (a, b) => a === 1 ? 3 : 0',
      'const add = (a, b) => { if (a !== 1) throw new Error("saw " + a); return 3 }',
      'const add = (a, b) => { if (a !== 1) { const e = new Error(); e.name = "saw " + a; throw e } return 3 }',
    ];
    for (const text of leaky) {
      const verdict = await verdictOn(text);
      const found = verdict.kind === 'judged' ? verdict.diagnostics : [];
      expect(found.some((d) => d.audience === 'operator' && /7[07]/.test(JSON.stringify(d)))).toBe(
        true,
      );
      expect(JSON.stringify(found.filter((d) => d.audience === 'policy'))).not.toMatch(/7[07]/);
    }
  });

  test('the line of an error is that in the whole response', async () => {
    const verdict = await verdictOn('Well,\nhere:\n```js\nconst add = (a) =>\n  a.b.c\n```');
    const [first] = verdict.kind === 'judged' ? verdict.diagnostics : [];
    expect(first?.at).toEqual({ line: 5, column: 7 });
  });

  test('an aborted attempt is void', async () => {
    const stop = new AbortController();
    const verdict = domain.verify(
      task,
      { text: 'const add = () => { for (;;); }', stop: 'end' },
      stop.signal,
    );
    setTimeout(() => stop.abort(), 30);
    expect(await verdict).toMatchObject({ kind: 'void', fault: 'aborted' });
    expect(statusOf(await verdictOn('const add = (a, b) => a + b'))).toBe('accepted');
  });

  test('an attempt does not affect the next one', async () => {
    await verdictOn('globalThis.kept = 1; Array.prototype.kept = 1; const add = (a, b) => a + b');
    const text =
      'const add = (a, b) => (typeof kept === "undefined" && [].kept === undefined ? a + b : 0)';
    expect(statusOf(await verdictOn(text))).toBe('accepted');
  });
});

test('with verbatim the whole response is the program, fences included', async () => {
  const program = '/*\n```js\nconst add = () => 0\n```\n*/ const add = (a, b) => a + b';
  const verbatim = domain.parse({ ...row, verbatim: true });
  expect(statusOf(await domain.verify(verbatim, { text: program, stop: 'end' }))).toBe('accepted');
  expect(statusOf(await verdictOn(program))).toBe('wrong_answer');
});
