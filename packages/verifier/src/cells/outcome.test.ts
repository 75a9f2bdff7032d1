/** Tests of what an outcome without a result means. */
import { expect, test } from 'vitest';
import { classifyOutcome, type FailedOutcome } from './outcome.ts';

const usage = { wallMs: 2, cpuMs: 1, peakRssMb: 3 };
const killed = (limit: 'wall' | 'cpu' | 'memory' | 'stall'): FailedOutcome => ({
  kind: 'killed',
  limit,
  usage,
});
const died = (detail: string): FailedOutcome => ({ kind: 'died', detail, usage });

test.each([
  { outcome: killed('wall'), plain: 'time', isolate: 'time' },
  { outcome: killed('cpu'), plain: 'time', isolate: 'time' },
  { outcome: killed('memory'), plain: 'memory', isolate: 'memory' },
  { outcome: killed('stall'), plain: 'time', isolate: 'memory' },
  { outcome: died('exit code 3'), plain: 'crashed', isolate: 'crashed' },
  { outcome: died('SIGKILL: memory: out of memory'), plain: 'crashed', isolate: 'memory' },
])(
  '$outcome.kind $outcome.limit $outcome.detail means $plain in a plain process and $isolate with an isolate',
  (row) => {
    const causeOf = (usesIsolate: boolean) => {
      const end = classifyOutcome(row.outcome, usesIsolate);
      return end.kind === 'ended' ? end.cause : end.fault;
    };
    expect([causeOf(false), causeOf(true)]).toEqual([row.plain, row.isolate]);
  },
);

test('a cell that was not there makes the verdict void with the fault infra', () => {
  const outcome = { kind: 'unavailable', detail: 'the cell did not start' } as const;
  expect(classifyOutcome(outcome, true)).toMatchObject({ kind: 'void', fault: 'infra' });
});

test('a cancelled job makes the verdict void with the fault aborted', () => {
  expect(classifyOutcome({ kind: 'aborted' }, false)).toMatchObject({ fault: 'aborted' });
});
