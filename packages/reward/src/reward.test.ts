import { type Diagnostic, judged, type Verdict, voided } from '@cipo/verifier/types';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { overlongPenalty, policyDiagnostics, reward, rewardOf, shapeRisk } from './index.ts';

const told: Diagnostic = { code: 'wrong-answer', audience: 'policy', message: 'f(2) is 8' };
const hidden: Diagnostic = {
  code: 'wrong-answer',
  audience: 'operator',
  message: 'f(9) is 1, expected 2',
};

test('an accepted verdict earns 1 and any other judgement 0', () => {
  expect(reward(judged('accepted'))).toBe(1);
  expect(reward(judged('time_limit'))).toBe(0);
});

test('a void verdict has no reward, and passing one where a judgement is wanted does not compile', () => {
  const verdict: Verdict = voided('overloaded', 'queue full');
  expect(rewardOf(verdict)).toBeUndefined();
  // @ts-expect-error a Verdict may be void: only a Judged has a reward
  const wrong: Parameters<typeof reward>[0] = verdict;
  expect(wrong).toBe(verdict);
});

test('the policy never sees what is meant for the operator', () => {
  expect(policyDiagnostics(judged('wrong_answer', [hidden, told]))).toEqual([told]);
  expect(policyDiagnostics(judged('wrong_answer', [told, told, told]), 2)).toHaveLength(2);
});

test('an accepted or void verdict tells the policy nothing', () => {
  expect(policyDiagnostics(judged('accepted', [told]))).toEqual([]);
  expect(policyDiagnostics(voided('undecided', ''))).toEqual([]);
});

test('risk shaping takes lambda from right-to-wrong only', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 5, noNaN: true }), (lambda) => {
      expect(shapeRisk(0, true, lambda)).toBe(0 - lambda);
      expect(shapeRisk(1, true, lambda)).toBe(1);
      expect(shapeRisk(0, false, lambda)).toBe(0);
      expect(shapeRisk(1, false, lambda)).toBe(1);
    }),
  );
});

test('the overlong penalty is 0 before the buffer, -1 at the limit and falls in between', () => {
  expect(overlongPenalty(40, 48, 8)).toBe(0);
  expect(overlongPenalty(44, 48, 8)).toBe(-0.5);
  expect(overlongPenalty(48, 48, 8)).toBe(-1);
  expect(overlongPenalty(48, 48, 0)).toBe(0);
});
