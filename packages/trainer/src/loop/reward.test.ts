/** Rewards from configured terms: the default is binary correctness, and each other term is recorded by itself. */
import { judged, voided } from '@cipo/verifier/types';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trainConfig } from '../config.ts';
import { correction, group } from '../testing/groups.ts';
import { baseAdvantages, correctionAdvantages, groupAdvantages } from './advantages.ts';
import { baseMetrics, correctionMetrics } from './metrics.ts';
import { rewardFor } from './reward.ts';
import type { Group } from './rollout.ts';

const attempt = (text: string) => ({ text, stop: 'end' as const });
const configured = (reward: object) => rewardFor(trainConfig.parse({ reward }));

test('the default reward is 1 if correct, 0 if incorrect and undefined for a void verdict', () => {
  const reward = configured({});
  expect(reward(attempt('x'), judged('accepted'), 3)).toEqual({ reward: 1, terms: { correct: 1 } });
  expect(reward(attempt('x'), judged('crashed'), 3)).toEqual({ reward: 0, terms: { correct: 0 } });
  expect(reward(attempt('x'), voided('infra', ''), 3)).toBeUndefined();
});

test('terms are summed by their weights, and a term of weight 0 is not computed', () => {
  const reward = configured({ terms: { correct: 0, format: 0.5, noCode: 0.25, length: 1 } });
  const composed = reward(attempt('```js\n1\n```'), judged('wrong_answer'), 48);
  expect(composed?.terms).toEqual({ correct: 0, format: 1, noCode: 0, length: -1 });
  expect(composed?.reward).toBe(0.5 - 1);
});

test('the length term is 0 up to lengthFree of maxTokens and falls to -1 at maxTokens', () => {
  const reward = configured({ lengthFree: 0.5, terms: { length: 1 } });
  const at = (tokens: number) => reward(attempt('x'), judged('wrong_answer'), tokens)?.reward;
  expect([at(24), at(36), at(48)]).toEqual([0, -0.5, -1]);
});

test.each([
  [{ terms: { format: Number.POSITIVE_INFINITY } }, 'format'],
  [{ terms: { formats: 1 } }, 'formats'],
  [{ script: 'Klingon' }, 'script'],
  [{ lengthFree: 1 }, 'lengthFree'],
])('the configuration %j is refused with the name of its key', (reward, key) => {
  expect(() => trainConfig.parse({ reward })).toThrow(key);
});

/** A group whose rewards have a second term besides correctness. */
function scored(marks: string, values: readonly number[], anchorPassed?: boolean): Group {
  const made = anchorPassed === undefined ? group(marks) : correction(marks, anchorPassed);
  const rollouts = made.rollouts.map((r, i) => ({
    ...r,
    composed: r.composed && {
      reward: r.composed.reward + values[i]!,
      terms: { ...r.composed.terms, format: values[i]! },
    },
  }));
  return { ...made, rollouts };
}

describe('advantages', () => {
  const base = { normalizeByStd: false, maxTokens: 48, overlongBuffer: 0 };
  const risk = { riskMode: 'postNorm', riskPenalty: 1, normalizeByStd: false } as const;

  test('advantages of the base stream follow the composed reward', () => {
    expect(baseAdvantages([scored('00', [0.5, 0])], base)).toEqual([[0.25, -0.25]]);
  });

  test('a correction that breaks a correct attempt loses lambda times the size of its advantage, whatever its sign', () => {
    const [advantages] = correctionAdvantages([scored('100', [0, 0.9, 0.2], true)], risk);
    const plain = groupAdvantages([1, 0.9, 0.2], false);
    expect(advantages![0]).toBe(plain[0]);
    expect(advantages![1]).toBeCloseTo(plain[1]! - Math.abs(plain[1]!), 12);
    expect(advantages![2]).toBeCloseTo(plain[2]! - Math.abs(plain[2]!), 12);
  });

  test('with binary rewards the advantages of risk mode `postNorm` equal the formula written out', () => {
    const marks = fc.stringMatching(/^[01?]{2,8}$/);
    fc.assert(
      fc.property(
        marks,
        fc.boolean(),
        fc.double({ min: 0, max: 3, noNaN: true }),
        (m, passed, lambda) => {
          const [advantages] = correctionAdvantages([correction(m, passed)], {
            ...risk,
            riskPenalty: lambda,
          });
          const rewards = [...m].map((c) => (c === '?' ? undefined : Number(c)));
          const raw = groupAdvantages(rewards, false);
          const never = rewards.every((r) => r !== 1);
          const wanted = raw.map((a, i) => {
            if (!passed || rewards[i] !== 0) return a;
            return never ? -lambda : a * (1 + lambda);
          });
          expect(advantages!.map((a) => a + 0)).toEqual(wanted.map((a) => a + 0));
        },
      ),
    );
  });
});

describe('metrics', () => {
  test('baseMetrics records every reward term under its TRL name, and none if correctness is the only term', () => {
    const metrics = baseMetrics([scored('10', [1, 0]), scored('1?', [0.5, 0])]);
    expect(metrics).toMatchObject({
      reward: (2 + 0 + 1.5) / 3,
      'rewards/correct/mean': 2 / 3,
      'rewards/format/mean': 0.5,
      'rewards/format/std': Math.sqrt(1 / 6),
      void_rate: 0.25,
    });
    expect(Object.keys(baseMetrics([group('10')])).filter((n) => n.startsWith('rewards/'))).toEqual(
      [],
    );
  });

  test('correctionMetrics averages the composed reward, while fix rate and retention use binary correctness', () => {
    const groups = [scored('10', [0, 0.5], true), scored('00', [1, 0], false)];
    expect(correctionMetrics(groups, 0.3)).toMatchObject({
      'correction/reward': (0.75 + 0.5) / 2,
      'correction/rewards/correct/mean': 0.25,
      'correction/rewards/format/mean': 0.375,
      'correction/fix_rate': 0,
      'correction/retention': 0.5,
    });
  });
});
