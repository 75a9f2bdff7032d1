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
  },
  {
    id: 'py',
    language: 'python',
    prompt,
    tests: { type: 'stdio', cases: [{ input: '1203 4501', output: '5704' }] },
    solution: 'print(sum(map(int, input().split())))',
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
  {
    row: { language: 'js', tests: { type: 'call', entry: 'f', cases: [{}] } },
    field: 'tests.cases.0.args',
  },
];

describe('the code domain keeps the contract', () => {
  for (const check of domainContract({ domain, rows, badRows })) test(check.name, check.run);
});
