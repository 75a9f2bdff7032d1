/** Tests of scores for evaluation tools, type-checked against the real `autoevals`. */
import { codeDomain } from '@cipo/verifier/code';
import { mathDomain } from '@cipo/verifier/math';
import { judged, voided } from '@cipo/verifier/types';
import { ExactMatch, type Scorer, type Score as TheirScore } from 'autoevals';
import { afterAll, describe, expect, test } from 'vitest';
import { composeReward, correct, domainScorer, format, tests, toScore } from './index.ts';

const math = mathDomain();
const code = codeDomain({ workers: 1 });
afterAll(() => Promise.all([math.close?.(), code.close?.()]));

test('a verdict converts to an autoevals score of 1, 0, or null if it is void', () => {
  const scores: TheirScore[] = [
    toScore('m', judged('accepted')),
    toScore('m', judged('time_limit', [], { cpuMs: 5, wallMs: 9 })),
    toScore('m', voided('overloaded', 'queue full')),
  ];
  expect(scores).toEqual([
    { name: 'm', score: 1, metadata: { status: 'accepted', diagnostics: [], cpuMs: 0, wallMs: 0 } },
    {
      name: 'm',
      score: 0,
      metadata: { status: 'time_limit', diagnostics: [], cpuMs: 5, wallMs: 9 },
    },
    {
      name: 'm',
      score: null,
      metadata: { status: 'void', fault: 'overloaded', detail: 'queue full' },
    },
  ]);
});

describe('domainScorer', () => {
  test('a domain scorer has the type and the result shape of an autoevals scorer', async () => {
    const scorers: Scorer<string, object>[] = [domainScorer(math), ExactMatch];
    const args = { output: 'so \\boxed{0.5}', expected: '\\frac{1}{2}' };
    const [ours, theirs] = await Promise.all(scorers.map((scorer) => scorer(args)));
    expect(ours).toMatchObject({ name: 'math', score: 1 });
    expect(theirs).toMatchObject({ name: 'ExactMatch', score: 0 });
    expect(Object.keys(ours!)).toEqual(expect.arrayContaining(Object.keys(theirs!)));
  });

  test('a case that the domain cannot parse has the score null and names the field', async () => {
    expect(await domainScorer(math)({ output: 'x' })).toEqual({
      name: 'math',
      score: null,
      metadata: {
        status: 'void',
        fault: 'bad-task',
        detail: expect.stringMatching(/^answer: is missing/),
      },
    });
  });

  test('a scorer accepts a row mapping and a composed reward, whose terms go to the metadata', async () => {
    const reward = composeReward({
      correct: { term: correct, weight: 0.5 },
      tests: { term: tests, weight: 0.5 },
      format: { term: format, weight: 0 },
    });
    const cases = [0, 1, 2, 3].map((x) => ({ args: [x], expected: x * x }));
    const scorer = domainScorer(code, {
      name: 'squares',
      reward,
      row: (args: { output: string; tests: unknown }) => ({ language: 'js', tests: args.tests }),
    });
    const of = (output: string) => scorer({ output, tests: { type: 'call', entry: 'f', cases } });
    expect(await of('const f = (x) => x * x')).toMatchObject({ name: 'squares', score: 1 });
    expect(await of('const f = (x) => (x < 3 ? x * x : 0)')).toMatchObject({
      score: 0.375,
      metadata: { status: 'wrong_answer', terms: { correct: 0, tests: 0.75, format: 1 } },
    });
    expect(await of('const f = (')).toMatchObject({ score: 0, metadata: { terms: { format: 0 } } });
  });
});
