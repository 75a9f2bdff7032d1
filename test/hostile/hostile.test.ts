/** Runs a sample of the attacks of each class, and all that have their own tests. */
import { afterAll, describe, expect, test } from 'vitest';
import { JAVASCRIPT } from './javascript.ts';
import { PYTHON } from './python.ts';
import { openVerifier, runAttacks } from './suite.ts';

// All attacks take minutes: `node test/hostile/run.ts`. Those with their own tests end at once, so all of them run
// here.
const STEP = process.env.CIPO_HOSTILE === 'all' ? 1 : 8;
const verifier = openVerifier();
afterAll(() => verifier.close());

test('the suite has at least 150 attacks in JavaScript and 80 in Python, without repeats', () => {
  expect(JAVASCRIPT.length).toBeGreaterThanOrEqual(150);
  expect(PYTHON.length).toBeGreaterThanOrEqual(80);
  for (const list of [JAVASCRIPT, PYTHON]) {
    expect(new Set(list.map(({ by, code }) => `${by} ${code}`)).size).toBe(list.length);
  }
});

describe.each([
  ['javascript', JAVASCRIPT],
  ['python', PYTHON],
] as const)('attacks in %s', (language, all) => {
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  test.each(kinds)(
    'attacks of the class "%s" are judged, are not accepted, and do not affect the next attempt',
    async (kind) => {
      const own = all
        .filter((attack) => attack.kind === kind)
        .filter((attack, i) => i % STEP === 0 || attack.tests !== undefined);
      const results = await runAttacks(verifier, language, own);
      const problems = results.flatMap(({ attack, problem }) =>
        problem ? [`${problem}: ${attack.code.slice(0, 200)}`] : [],
      );
      expect(problems).toEqual([]);
    },
    120_000,
  );
});
