import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { rows } from '../../../../datasets/math-equivalence/build.ts';
import { mathDomain } from './index.ts';
import { labeledPairs, type Pair } from './testing/data.ts';

const pairs = labeledPairs();
const byType = Map.groupBy(pairs, (pair) => pair.type);

describe('the labeled pairs', () => {
  const domain = mathDomain();
  afterAll(() => domain.close?.());

  const judge = async (pair: Pair) => {
    const verdict = await domain.verify(domain.parse(pair), { text: pair.response, stop: 'end' });
    const found = verdict.kind === 'void' ? null : verdict.passed;
    return found === pair.label ? [] : [{ ...pair, verdict }];
  };

  test('there are at least 800 labeled pairs: correct, incorrect and void', () => {
    expect(pairs.length).toBeGreaterThanOrEqual(800);
    expect(byType.size).toBeGreaterThanOrEqual(30);
    for (const label of [true, false, null]) {
      expect(pairs.some((pair) => pair.label === label)).toBe(true);
    }
  });

  test('the labeled pairs are what build.ts generates from cases.txt', () => {
    const source = new URL('../../../../datasets/math-equivalence/cases.txt', import.meta.url);
    expect(rows(readFileSync(source, 'utf8'))).toEqual(pairs);
  });

  test('no labeled pair occurs twice', () => {
    const keys = pairs.map((pair) =>
      JSON.stringify([pair.answer, pair.response, pair.options, pair.question]),
    );
    expect(keys.filter((key, k) => keys.indexOf(key) !== k)).toEqual([]);
  });

  test.each([...byType])(
    'all labeled pairs of type %s are judged as labeled',
    async (_type, group) => {
      const wrong = await Promise.all(group.map(judge));
      expect(wrong.flat()).toEqual([]);
    },
  );
});
