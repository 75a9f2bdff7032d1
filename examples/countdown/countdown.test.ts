import { readFileSync } from 'node:fs';
import { domainContract } from '@cipo/verifier/testing';
import type { Verdict } from '@cipo/verifier/types';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import countdown from './countdown.ts';

const rows = readFileSync(new URL('rows.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

describe('the countdown domain keeps the contract of all domains', () => {
  const subject = {
    domain: countdown,
    rows,
    badRows: [
      { row: { target: 7 }, field: 'nums' },
      { row: { nums: [7], target: 7 }, field: 'nums' },
      { row: { nums: [1, 2.5], target: 7 }, field: 'nums' },
      { row: { nums: [1, 2], target: -3 }, field: 'target' },
      { row: { nums: [1, 2], target: '3' }, field: 'target' },
    ],
    hostile: ['('.repeat(199), '9'.repeat(200), '1/0', '-'.repeat(200), '[].constructor'].map(
      (answer) => `<answer>${answer}</answer>`,
    ),
    twins: [[rows[0], { ...rows[0], solution: '15 - 7' }]] as const,
  };
  for (const check of domainContract(subject)) test(check.name, check.run);
});

function judge(answer: string, nums: number[], target: number): Promise<Verdict> {
  return countdown.verify(countdown.parse({ nums, target }), { text: answer, stop: 'end' });
}

test.each([
  ['<answer>8 / (3 - 8 / 3)</answer>', 'accepted', undefined],
  ['<answer>3</answer> no, <answer>(8 * 3)</answer>', 'accepted', undefined],
  ['<answer>8 + 8</answer>', 'wrong_answer', 'the value is 16, not 24'],
  ['<answer>8 / 3</answer>', 'wrong_answer', 'the value is 8/3, not 24'],
  ['<answer>8 + 8 + 8</answer>', 'unreadable_answer', '8 is not among the remaining numbers'],
  ['<answer>24</answer>', 'unreadable_answer', '24 is not among the remaining numbers'],
  ['<answer>8 / (3 - 3)</answer>', 'unreadable_answer', 'division by zero'],
  ['<answer>(8 + 3</answer>', 'unreadable_answer', 'a bracket is not closed'],
  ['<answer>8 8</answer>', 'unreadable_answer', 'expected an operator, got 8'],
  ['<answer>-8</answer>', 'unreadable_answer', 'expected a number, got -'],
  ['8 * 3', 'unreadable_answer', 'no short <answer></answer>'],
])('the response %s gets the status %s', async (answer, status, message) => {
  const verdict = await judge(answer, [3, 3, 8, 8], 24);
  expect(verdict).toMatchObject({ status, diagnostics: message ? [{ message }] : [] });
});

test('the value of any expression is that of exact arithmetic', async () => {
  const digit = fc.integer({ min: 0, max: 9 });
  await fc.assert(
    fc.asyncProperty(digit, digit, digit, fc.constantFrom(...'+-*'), async (a, b, c, sign) => {
      const product = a * b;
      const value = sign === '+' ? product + c : sign === '-' ? product - c : product * c;
      const verdict = await judge(
        `<answer>${a} * ${b} ${sign} ${c}</answer>`,
        [a, b, c],
        Math.abs(value),
      );
      expect(verdict.kind === 'judged' && verdict.passed).toBe(value >= 0);
    }),
  );
});
