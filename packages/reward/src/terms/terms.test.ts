/** Tests of each reward term and of their weighted sum. */
import { type Attempt, judged, STATUSES, type Status, voided } from '@cipo/verifier/types';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  composeReward,
  correct,
  format,
  language,
  length,
  noCode,
  repetition,
  type Scored,
  type Term,
  tests,
  think,
} from './index.ts';

function of(text: string, status: Status = 'accepted'): Scored {
  return { attempt: { text, stop: 'end' }, verdict: judged(status) };
}

/** An incorrect attempt whose verdict counts tests. */
function counted(passed: unknown, total: unknown): Scored {
  const details = { passed, total };
  const diagnostic = {
    code: 'tests-failed',
    audience: 'operator',
    message: 'some',
    details,
  } as const;
  return { ...of('x'), verdict: judged('wrong_answer', [diagnostic]) };
}

test('correct is 1 for accepted and 0 for every other status', () => {
  for (const status of STATUSES) {
    expect(correct(of('x', status)), status).toBe(status === 'accepted' ? 1 : 0);
  }
});

test('format is 1 for every attempt that could be read, correct or not', () => {
  const unreadable = ['unreadable_answer', 'compile_error', 'missing_entry', 'source_limit'];
  for (const status of STATUSES) {
    expect(format(of('x', status)), status).toBe(unreadable.includes(status) ? 0 : 1);
  }
});

test('tests is the share of tests that passed, and equals correct without a count', () => {
  expect(tests(counted(3, 4))).toBe(0.75);
  expect(tests(counted(0, 4))).toBe(0);
  expect(tests(of('x'))).toBe(1);
  expect(tests(of('x', 'wrong_answer'))).toBe(0);
  for (const malformed of [counted('3', 4), counted(3, 0), counted(undefined, undefined)]) {
    expect(tests(malformed)).toBe(0);
  }
  expect(tests(counted(9, 4))).toBe(1);
});

test.each([
  ['<think>a</think>b', 1],
  [' <think>\na\n</think>\n b ', 1],
  ['<think>a</think>', 0],
  ['<think> </think>b', 0],
  ['a</think>b', 0],
  ['x<think>a</think>b', 0],
  ['<think>a</think>b</think>c', 0],
  ['<think>a<think>b</think>c', 0],
  ['', 0],
])('think scores %j as %d', (text, value) => {
  expect(think(of(text))).toBe(value);
});

test('length is 0 up to free, -1 from max on, and does not apply without a token count', () => {
  const term = length({ free: 10, max: 20 });
  const at = (tokens: number) => term({ ...of('x'), tokens });
  expect([at(3), at(10), at(15), at(20), at(99)]).toEqual([0, 0, -0.5, -1, -1]);
  expect(term(of('x'))).toBeUndefined();
  expect(() => length({ free: 20, max: 20 })).toThrow(RangeError);
});

test('language is the share of letters outside fenced blocks that belong to the script', () => {
  expect(language('Latin')(of('Größe 12 + 3'))).toBe(1);
  expect(language('Latin')(of('ab 中文'))).toBe(0.5);
  expect(language('Han')(of('中文\n```py\nprint("ab")\n```\n中'))).toBe(1);
  expect(language('Latin')(of('12 + 3 = 15'))).toBeUndefined();
  expect(() => language('Klingon')).toThrow(SyntaxError);
  expect(() => language('Latin}|.{9')).toThrow(SyntaxError);
});

test('noCode is 0 for a text with a fenced block', () => {
  expect(noCode(of('a `b` c'))).toBe(1);
  expect(noCode(of('a\n  ```js\nb'))).toBe(0);
  expect(noCode(of('~~~\nb\n~~~'))).toBe(0);
});

test('repetition is 0 without repeats and approaches -1 for a text that loops', () => {
  expect(repetition(of('one two three four five six'))).toBe(0);
  expect(repetition(of('a b'))).toBe(0);
  expect(repetition(of('a b c d '.repeat(100)))).toBeLessThan(-0.95);
});

describe('every term', () => {
  const all: Readonly<Record<string, Term>> = {
    correct,
    format,
    tests,
    think,
    length: length({ free: 5, max: 9 }),
    language: language('Latin'),
    noCode,
    repetition,
  };
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(fc.constantFrom('<think>', '</think>', '```', '\n', 'a', '中', ' '))
      .map((a) => a.join('')),
  );

  test('every term is deterministic and lies in [-1, 1]', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...STATUSES), fc.nat(20), (words, status, tokens) => {
        for (const [name, term] of Object.entries(all)) {
          const value = term({ ...of(words, status), tokens });
          if (value !== undefined) expect(Math.abs(value), name).toBeLessThanOrEqual(1);
          expect(term({ ...of(words, status), tokens }), name).toBe(value);
        }
      }),
    );
  });

  test('the composed reward is the sum of weight times value over the terms that apply', () => {
    const weight = fc.double({ min: -2, max: 2, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(weight, weight, weight), text, ([a, b, c], words) => {
        const terms = {
          format: [format, a],
          language: [all.language!, b],
          noCode: [noCode, c],
        } as const;
        const reward = composeReward(
          Object.fromEntries(
            Object.entries(terms).map(([n, [term, w]]) => [n, { term, weight: w }]),
          ),
        );
        const { attempt, verdict } = of(words);
        const composed = reward(attempt, verdict)!;
        const sum = Object.entries(terms).reduce(
          (total, [name, [, w]]) => total + w * (composed.terms[name] ?? 0),
          0,
        );
        expect(composed.reward).toBe(sum);
        expect('language' in composed.terms).toBe(language('Latin')(of(words)) !== undefined);
      }),
    );
  });
});

test('a void verdict has no composed reward', () => {
  const attempt: Attempt = { text: 'x', stop: 'end' };
  const reward = composeReward({ always: { term: () => 1, weight: 1 } });
  expect(reward(attempt, voided('infra', 'lost'))).toBeUndefined();
  expect(reward(attempt, judged('crashed'))).toEqual({ reward: 1, terms: { always: 1 } });
});

test('a weight or a value that is not finite is rejected by name', () => {
  const nan = { term: () => Number.NaN, weight: 1 };
  expect(() => composeReward({ bad: { term: correct, weight: Number.NaN } })).toThrow(
    /weight of bad/,
  );
  const { attempt, verdict } = of('x');
  expect(() => composeReward({ bad: nan })(attempt, verdict)).toThrow(/value of bad/);
});
