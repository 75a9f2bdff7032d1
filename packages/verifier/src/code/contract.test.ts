/** Runs the contract suite on the code domain. */
import { afterAll, describe, test } from 'vitest';
import { domainContract } from '../testing.ts';
import { codeDomain } from './index.ts';

const domain = codeDomain({ workers: 1 });
afterAll(() => domain.close?.());

const prompt = [{ role: 'user', content: 'Write add(a, b).' }];
const rows = [
  {
    id: 'js',
    language: 'javascript',
    prompt,
    tests: {
      type: 'call',
      entry: 'add',
      cases: [{ args: [1203, 4501], expected: 5704 }],
    },
    solution: 'const add = (a, b) => a + b',
    limits: { cpuMs: 400 },
  },
  {
    id: 'py',
    language: 'python',
    prompt,
    tests: { type: 'stdio', cases: [{ input: '1203 4501', output: '5704' }] },
    solution: 'print(sum(map(int, input().split())))',
    limits: { cpuMs: 600 },
  },
  {
    id: 'ts',
    language: 'typescript',
    prompt,
    tests: { type: 'assert', code: 'if (add(1203, 4501) !== 5704) throw new Error("5704")' },
    solution: 'export const add = (a: number, b: number): number => a + b',
  },
];
const badRows = [
  { row: { language: 'lisp' }, field: 'language' },
  { row: { language: 'constructor' }, field: 'language' },
  { row: { ...rows[0], id: {} }, field: 'id' },
  { row: { ...rows[0], prompt: [{ role: 'robot', content: 'x' }] }, field: 'prompt.0.role' },
  {
    row: { language: 'js', tests: { type: 'call', entry: 'f', cases: [{}] } },
    field: 'tests.cases.0.args',
  },
];
const hostile = [
  'const add = () => { for (;;); }',
  'const add = () => ({ valueOf: () => 5704, toString: () => "5704" })',
  'Object.defineProperty(Object.prototype, "passed", { value: true }); const add = () => 1',
  'const add = (...args) => { throw new Error(JSON.stringify(args)) }',
];
/** Inputs and expected values of hidden tests. */
const secrets = () => ['1203', '4501', '5704'];
const slow = { row: { ...rows[0], limits: { cpuMs: 20_000 } }, text: hostile[0]! };
const twin = (a: number) => ({
  ...rows[0],
  tests: { type: 'call', entry: 'add', cases: [{ args: [a, 1], expected: a + 1 }] },
});

describe('the code domain keeps the contract', () => {
  const twins = [[twin(3), twin(4)]] as const;
  const subject = { domain, rows, badRows, hostile, slow, secrets, twins };
  for (const check of domainContract(subject)) test(check.name, { timeout: 300_000 }, check.run);
});
