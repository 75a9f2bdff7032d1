import { expect, test } from 'vitest';
import { learningRateAt } from './schedule.ts';

const rate = (schedule: 'constant' | 'linear' | 'cosine', warmupSteps = 0) =>
  Array.from({ length: 10 }, (_, i) =>
    learningRateAt(i + 1, 10, { learningRate: 1, warmupSteps, schedule }),
  );

test('warm-up rises to the full learning rate and does not start at zero', () => {
  expect(rate('constant', 4)).toEqual([0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1, 1]);
});

test('linear and cosine schedules start at the full rate, fall in every step and are above zero in the last step', () => {
  for (const schedule of ['linear', 'cosine'] as const) {
    const rates = rate(schedule);
    expect(rates[0]).toBe(1);
    for (let i = 1; i < 10; i++) expect(rates[i]!).toBeLessThan(rates[i - 1]!);
    expect(rates[9]!).toBeGreaterThan(0);
  }
});
