/** Tests of the clock of an attempt together with the timers of isolated-vm. */
import { expect, test } from 'vitest';
import { Budget } from './budget.ts';
import { DEFAULT_LIMITS, WALL_FACTOR } from './limits.ts';

const LIMITS = { ...DEFAULT_LIMITS.javascript, cpuMs: 400, testCpuMs: 400 };

/** How many threads isolated-vm would have: a timeout that ends before all pending ones gets its own thread. */
function threadsFor(budget: Budget, stretches: number): number {
  let ends: number[] = [];
  let most = 0;
  for (let i = 0; i < stretches && !budget.isExceeded; i++) {
    const now = performance.now();
    const end = now + budget.stretchMs();
    ends = ends.filter((other) => other > now);
    if (ends.every((other) => other >= end)) ends.push(end);
    most = Math.max(most, ends.length);
    burn(0.3);
  }
  return most;
}

function burn(ms: number): void {
  const { user, system } = process.threadCpuUsage();
  const spent = () => {
    const now = process.threadCpuUsage();
    return (now.user + now.system - user - system) / 1000;
  };
  while (spent() < ms);
}

test.each(WALL_FACTOR)(
  'a thousand stretches of one attempt need few timer threads with wallFactor %f',
  (wallFactor) => {
    expect(threadsFor(new Budget(LIMITS, wallFactor), 1000)).toBeLessThan(120);
  },
);

test('no stretch gets much more wall time than wallFactor allows for the CPU time that is left', () => {
  const budget = new Budget(LIMITS, 1.2);
  while (!budget.isExceeded) {
    const left = LIMITS.cpuMs - budget.usedMs;
    expect(budget.stretchMs()).toBeLessThanOrEqual((left * 1.2 + 5) / 0.9 + 3);
    burn(2);
  }
});
