import { expect, test } from 'vitest';
import { correction, group } from '../testing/groups.ts';
import { baseMetrics, correctionMetrics } from './metrics.ts';

const rewardNames = (metrics: object) =>
  Object.keys(metrics).filter((name) => name.includes('reward'));

test('a step whose attempts are all void has a void rate and no reward metric', () => {
  const metrics = baseMetrics([group('??'), group('??')]);
  expect(metrics).toMatchObject({ void_rate: 1, 'completions/mean_length': 4 });
  expect(rewardNames(metrics)).toEqual([]);
});

test('a group whose attempts are all void does not count as a group without spread', () => {
  expect(baseMetrics([group('10'), group('??')])).toMatchObject({
    reward: 0.5,
    reward_std: 0.5,
    frac_reward_zero_std: 0,
    void_rate: 0.5,
  });
});

test('a kind whose attempts are all void has no reward of its own', () => {
  const lost = group('??');
  const metrics = baseMetrics([group('11'), { ...lost, item: { ...lost.item, kind: 'lost' } }]);
  expect(metrics).toMatchObject({ reward: 1, 'reward/spelled': 1 });
  expect(metrics).not.toHaveProperty(['reward/lost']);
});

test('a correction stream whose attempts are all void has a copy rate and no reward metric', () => {
  const metrics = correctionMetrics([correction('??', true), correction('??', false)], 0.3);
  expect(metrics).toMatchObject({ 'correction/copy_rate': 0, 'correction/anchors_failed': 1 });
  expect(rewardNames(metrics)).toEqual([]);
  expect(metrics).not.toHaveProperty(['correction/retention']);
});

test('a step without anchors has the anchor counts and rho, and nothing that was not measured', () => {
  expect(correctionMetrics([], 0.3)).toEqual({
    'correction/rho': 0.3,
    'correction/anchors_correct': 0,
    'correction/anchors_failed': 0,
  });
});

test('no metric is ever NaN', () => {
  for (const marks of [[], ['??'], ['10', '??'], ['1?']]) {
    const groups = marks.map((m) => group(m));
    const all = [baseMetrics(groups), correctionMetrics(groups, 0.3)];
    expect(all.flatMap((metrics) => Object.values(metrics)).filter(Number.isNaN)).toEqual([]);
  }
});
