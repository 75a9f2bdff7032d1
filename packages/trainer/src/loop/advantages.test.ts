import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RISK_MODES, type RiskMode } from '../config.ts';
import { correction, group } from '../testing/groups.ts';
import { baseAdvantages, correctionAdvantages, groupAdvantages } from './advantages.ts';

const sum = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0);
const risk = (riskMode: RiskMode, riskPenalty: number) => ({
  riskMode,
  riskPenalty,
  normalizeByStd: true,
});

test('the advantages of a mixed group have mean 0 and variance 1', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 1), { minLength: 2, maxLength: 16 }), (rewards) => {
      const a = groupAdvantages(rewards);
      expect(sum(a)).toBeCloseTo(0, 6);
      const mixed = rewards.includes(0) && rewards.includes(1);
      expect(sum(a.map((x) => x * x)) / a.length).toBeCloseTo(mixed ? 1 : 0, 5);
    }),
  );
});

test('in a group with two correct and two incorrect rollouts the advantages are +1 and -1', () => {
  expect(groupAdvantages([1, 0, 1, 0]).map((a) => Math.round(a * 1e6) / 1e6)).toEqual([
    1, -1, 1, -1,
  ]);
});

test('a group whose rewards are all equal has advantage 0', () => {
  expect(groupAdvantages([1, 1, 1])).toEqual([0, 0, 0]);
  expect(groupAdvantages([0, 0, 0])).toEqual([0, 0, 0]);
});

test('a void rollout gets no advantage and does not move the others', () => {
  const [a, b, c] = groupAdvantages([1, undefined, 0]);
  expect([a, c]).toEqual(groupAdvantages([1, 0]));
  expect(b).toBe(0);
});

test('without normalizeByStd (Dr. GRPO) rewards are centered and not scaled', () => {
  expect(groupAdvantages([1, 0, 0, 0], false)).toEqual([0.75, -0.25, -0.25, -0.25]);
});

test('an overlong completion has a lower advantage than an equally correct short one', () => {
  const both = group('11');
  const [short, long] = both.rollouts;
  const sample = { ...long!.sample, tokens: new Int32Array(8) };
  const groups = [{ ...both, rollouts: [short!, { ...long!, sample }] }];
  const options = { normalizeByStd: false, maxTokens: 8, overlongBuffer: 4 };
  expect(baseAdvantages(groups, options)).toEqual([[0.5, -0.5]]);
  expect(baseAdvantages(groups, { ...options, overlongBuffer: 0 })).toEqual([[0, 0]]);
});

describe('risk modes', () => {
  const groups = () => {
    const base = group('1100');
    return [correction('1100', true, base), correction('1000', false, base)];
  };

  test('risk mode `reward`, the literal formula, does not depend on lambda', () => {
    const at = (lambda: number) => correctionAdvantages(groups(), risk('reward', lambda)).flat();
    for (const [i, a] of at(0).entries()) expect(at(7)[i]).toBeCloseTo(a, 6);
  });

  for (const mode of RISK_MODES.filter((m) => m !== 'reward')) {
    test(`risk mode \`${mode}\` depends on lambda`, () => {
      const at = (lambda: number) => correctionAdvantages(groups(), risk(mode, lambda)).flat();
      expect(at(2)).not.toEqual(at(0));
    });

    test(`risk mode \`${mode}\` penalizes a broken correct attempt more as lambda grows`, () => {
      const worst = (lambda: number) => correctionAdvantages(groups(), risk(mode, lambda))[0]![3]!;
      expect(worst(2)).toBeLessThan(worst(0));
    });
  }

  test('risk mode `postNorm` penalizes a group that never keeps its correct anchor, and no group of an incorrect anchor', () => {
    const [lost, failed] = correctionAdvantages(
      [correction('0000', true), correction('0000', false)],
      risk('postNorm', 1.5),
    );
    expect(lost).toEqual([-1.5, -1.5, -1.5, -1.5]);
    expect(failed).toEqual([0, 0, 0, 0]);
  });

  test('risk mode `postNorm` gives a void rollout no penalty', () => {
    expect(correctionAdvantages([correction('0?0', true)], risk('postNorm', 1))).toEqual([
      [-1, 0, -1],
    ]);
  });

  test('risk mode `perPrompt` normalizes over all anchors of one task', () => {
    const base = group('1100');
    const [kept, lost] = correctionAdvantages(
      [correction('11', true, base), correction('00', true, base)],
      risk('perPrompt', 1),
    );
    expect(kept!.every((a) => a > 0)).toBe(true);
    expect(lost!.every((a) => a < 0)).toBe(true);
  });
});
