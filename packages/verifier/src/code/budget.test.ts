import { expect, test } from 'vitest';
import { Budget } from './budget.ts';
import { DEFAULT_LIMITS } from './limits.ts';

test.each([1.2, 40])('with patience %f no stretch ends before an earlier one', (patience) => {
  const budget = new Budget(DEFAULT_LIMITS.javascript, patience);
  budget.nextTest();
  let latest = 0; // no stretch so far ends before this
  for (let stretch = 0; stretch < 300; stretch++) {
    const before = performance.now();
    const timeoutMs = budget.stretchMs();
    expect(performance.now() + timeoutMs).toBeGreaterThanOrEqual(latest);
    latest = Math.max(latest, before + timeoutMs - 1);
    for (let i = 0; i < 20_000; i++) Math.sqrt(i); // CPU time passes, so that less of it is left
  }
});
