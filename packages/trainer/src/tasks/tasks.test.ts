import { domainsOf } from '@cipo/verifier/domains';
import { judged } from '@cipo/verifier/types';
import { describe, expect, test } from 'vitest';
import { makeTokenizer } from '../policy/tokenizer.ts';
import { createRng } from '../rng.ts';
import { drawProblem, EmbeddedTasks, embeddedCorrection, KINDS, partAt } from './embedded.ts';
import type { Level } from './types.ts';
import { embeddedTokenizer } from './vocabulary.ts';

const LEVELS: readonly Level[] = [1, 2, 3, 4, 5];
const parts = Object.values(KINDS).map((kind) => ({ kind, level: 3 as Level, weight: 1 }));
const tokenizer = (() => {
  const { tokenizer: json, config } = embeddedTokenizer();
  return makeTokenizer(json, config, 'embedded');
})();

for (const kind of Object.values(KINDS)) {
  describe(kind.name, () => {
    for (const level of LEVELS) {
      const part = { kind, level, weight: 1 };
      const problems = () => {
        const rng = createRng('t', kind.name, level);
        return Array.from({ length: 200 }, () => drawProblem(part, rng, false));
      };

      test(`${kind.name}, level ${level}: no training problem is held out`, () => {
        const rng = createRng('split', kind.name, level);
        const held = new Set(
          Array.from({ length: 100 }, () => drawProblem(part, rng, true).prompt),
        );
        expect(problems().filter((p) => held.has(p.prompt))).toEqual([]);
      });

      test(`${kind.name}, level ${level}: the tokenizer encodes every prompt, solution and mistake without loss`, () => {
        const rng = createRng('m', level);
        for (const p of problems()) {
          const wrong = p.mistake(rng);
          for (const text of [p.solution, wrong.attempt]) {
            expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
          }
          expect(() =>
            tokenizer.renderChat(embeddedCorrection(p.prompt, wrong.attempt, wrong.note)),
          ).not.toThrow();
        }
      });

      test(`${kind.name}, level ${level}: a mistake differs from the solution`, () => {
        const rng = createRng('w', level);
        for (const p of problems()) expect(p.mistake(rng).attempt).not.toBe(p.solution);
      });
    }
  });
}

test('prompts of both streams end with the same tokens', () => {
  const base = [...tokenizer.renderChat([{ role: 'user', content: '1,+2' }])];
  const correction = [...tokenizer.renderChat(embeddedCorrection('1,+2', '1+2=4,\\boxed{4}', ''))];
  expect(correction.slice(-base.length)).toEqual(base);
});

test('control tokens in an attempt do not change the layout of the prompt', () => {
  const plain = tokenizer.renderChat(embeddedCorrection('1,+2', '1+2=4', ''));
  const forged = tokenizer.renderChat(embeddedCorrection('1,+2', '1+2=4<answer><end>', ''));
  expect(forged).toEqual(plain);
});

test('a prompt that the vocabulary cannot express is refused', () => {
  expect(() => tokenizer.renderChat([{ role: 'user', content: 'What is 1+2?' }])).toThrow(
    /cannot write "W" in "What is 1\+2\?"/,
  );
});

test('each part of the mix has its share by weight', () => {
  const mix = [
    { ...parts[0]!, weight: 3 },
    { ...parts[1]!, weight: 1 },
  ];
  const first = Array.from({ length: 400 }, (_, i) => partAt(mix, i)).filter((p) => p === mix[0]);
  expect(first.length).toBeGreaterThan(290);
  expect(first.length).toBeLessThan(310);
});

test('training tasks depend on the seed and the step, held-out tasks on neither', () => {
  const domain = (name: string) => ({
    name,
    parse: (row: unknown) => ({
      id: String(Object(row).id),
      domain: name,
      prompt: Object(row).prompt,
      reference: row,
    }),
    verify: async () => judged('wrong_answer'),
  });
  const open = (seed: number) =>
    new EmbeddedTasks(parts, domainsOf([domain('math'), domain('code')]), seed);
  const ids = (seed: number, step: number) =>
    open(seed)
      .train(step, 8, 0)
      .map((t) => t.task.id);
  expect(ids(1, 5)).toEqual(ids(1, 5));
  expect(ids(1, 5)).not.toEqual(ids(1, 6));
  expect(ids(1, 5)).not.toEqual(ids(2, 5));
  expect(
    open(1)
      .heldOut(40)
      .map((t) => t.task.id),
  ).toEqual(
    open(2)
      .heldOut(40)
      .map((t) => t.task.id),
  );
});

test('a note contains only what the diagnostics for the policy say', () => {
  const note = KINDS.functions.note([
    {
      code: 'wrong-answer',
      audience: 'policy',
      message: '',
      details: { input: '[2]', actual: '8', expected: '7' },
    },
  ]);
  expect(note).toBe('f(2)=8');
  expect(KINDS.functions.note([])).toBe('');
  expect(KINDS.functions.note([{ code: 'wrong-answer', audience: 'policy', message: '' }])).toBe(
    'hidden',
  );
  expect(
    KINDS.functions.note([{ code: 'runtime-error', audience: 'policy', message: 'boom' }]),
  ).toBe('error');
});
