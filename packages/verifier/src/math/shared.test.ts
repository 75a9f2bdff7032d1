import { describe, expect, test } from 'vitest';
import { isReadable } from './judge.ts';
import { DEFAULTS, type MathOptions } from './options.ts';
import { gsm8kSolutions, mathProblems, sharedDatasets } from './testing/data.ts';
import { PERTURBATIONS, REWRITINGS } from './testing/rewrite.ts';
import { readReference, verdictOf } from './verdict.ts';

const datasets = sharedDatasets();
function passed(answer: string, content: string, question?: string): boolean | null {
  const options: MathOptions = DEFAULTS;
  const reference = { answer, options, ...(question === undefined ? {} : { question }) };
  const verdict = verdictOf(reference, { text: `So it is $\\boxed{${content}}$.` });
  return verdict.kind === 'void' ? null : verdict.passed;
}

describe.skipIf(datasets === undefined)(
  '8,000 references of MATH (needs the shared data sets)',
  () => {
    const problems = datasets === undefined ? [] : mathProblems(datasets);

    test('all references of MATH are readable and equal themselves', () => {
      expect(problems.length).toBeGreaterThan(7_900);
      const unread = problems.filter((p) => !isReadable(readReference(p.answer)));
      expect(unread.map((p) => p.answer)).toEqual([]);
      const unequal = problems.filter((p) => passed(p.answer, p.answer, p.problem) !== true);
      expect(unequal.map((p) => p.answer)).toEqual([]);
    });

    test('each reference of MATH equals at least three rewritings of itself', () => {
      const failures: string[] = [];
      for (const { answer, problem } of problems) {
        const rewritten = Object.entries(REWRITINGS).flatMap(([name, f]) => {
          const text = f(answer);
          return text === undefined ? [] : [{ name, text }];
        });
        if (rewritten.length < 3) failures.push(`only ${rewritten.length} rewritings of ${answer}`);
        for (const { name, text } of rewritten) {
          if (passed(answer, text, problem) !== true) {
            failures.push(`${name}: ${answer} as ${text}`);
          }
        }
      }
      expect(failures).toEqual([]);
    });

    test('no reference of MATH equals a perturbed one', () => {
      const failures: string[] = [];
      for (const { answer } of problems) {
        for (const [name, f] of Object.entries(PERTURBATIONS)) {
          const text = f(answer);
          if (text !== undefined && passed(answer, text) !== false) {
            failures.push(`${name}: ${answer} as ${text}`);
          }
        }
      }
      expect(failures).toEqual([]);
    });
  },
);

describe.skipIf(datasets === undefined)(
  '2,638 outputs of models on GSM8K (needs the shared data sets)',
  () => {
    test('the outputs of models on GSM8K are judged as labeled', () => {
      const solutions = datasets === undefined ? [] : gsm8kSolutions(datasets);
      const wrong = solutions.filter((s) => {
        const reference = {
          answer: s.answer,
          question: s.problem,
          options: { ...DEFAULTS, extraction: 'any' as const },
        };
        const verdict = verdictOf(reference, { text: s.response });
        return verdict.kind === 'void' || verdict.passed !== s.correct;
      });
      expect(solutions).toHaveLength(2_638);
      expect(wrong).toEqual([]);
    });
  },
);
