/** Tests the tolerance of a task at its limits. */
import { expect, test } from 'vitest';
import { verifyMath } from './index.ts';

async function passes(reference: string, answer: string, tolerance: object) {
  const verdict = await verifyMath(reference, `\\boxed{${answer}}`, { tolerance });
  return verdict.kind === 'judged' ? verdict.passed : verdict.fault;
}

test.each([
  ['100', '101', { relative: 0.01 }, true],
  ['100', '101.01', { relative: 0.01 }, false],
  ['-100', '-99', { relative: 0.01 }, true],
  ['0', '0.01', { absolute: 0.01 }, true],
  ['0', '0.011', { absolute: 0.01 }, false],
  ['10^{400}', '10^{400}+10^{395}', { relative: 0.01 }, true],
  ['10^{400}', '5', { relative: 0.01 }, false],
  ['10^{400}', '2 \\cdot 10^{400}', { relative: 0.01 }, false],
])(
  'the reference %s and the answer %s with the tolerance %o match: %s',
  async (reference, answer, tolerance, expected) => {
    expect(await passes(reference, answer, tolerance)).toBe(expected);
  },
);
