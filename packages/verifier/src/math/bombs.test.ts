import { afterAll, describe, expect, test } from 'vitest';
import { type Extraction, MathPool } from './index.ts';
import { DEFAULTS } from './options.ts';
import { BOMBS } from './testing/bombs.ts';

const REFERENCES = ['5', '\\sqrt{2}', 'x^2+1'];
const MODES: readonly Extraction[] = ['boxed', 'any'];

describe('bombs', () => {
  const pool = new MathPool();
  afterAll(() => pool.close());

  test.each(BOMBS.map((bomb) => [bomb.name, bomb.text] as const))(
    'a response with %s gets a verdict, is never accepted, and leaves the pool working',
    async (_name, text) => {
      for (const extraction of MODES) {
        for (const answer of REFERENCES) {
          const verdict = await pool.verify({ answer, options: { ...DEFAULTS, extraction } }, text);
          const escaped = verdict.kind === 'void' && verdict.fault !== 'undecided';
          expect({ answer, extraction, verdict, escaped }).toMatchObject({ escaped: false });
          expect(verdict.kind === 'judged' && verdict.passed).toBe(false);
        }
      }
      const healthy = await pool.verify(
        { answer: '\\sqrt{12}', options: DEFAULTS },
        '\\boxed{2\\sqrt{3}}',
      );
      expect(healthy).toMatchObject({ kind: 'judged', passed: true });
    },
  );

  test('every bomb gets a verdict within a second of CPU time', async () => {
    const { verdictOf } = await import('./index.ts');
    const slow = BOMBS.filter((bomb) => {
      const before = process.threadCpuUsage();
      verdictOf({ answer: '\\sqrt{2}', options: DEFAULTS }, bomb);
      const used = process.threadCpuUsage(before);
      return used.user + used.system > 1_000_000;
    });
    expect(slow.map((bomb) => bomb.name)).toEqual([]);
  });

  test('no two alternating pieces of text make reading or extraction slow', async () => {
    const { verdictOf } = await import('./index.ts');
    const options = { ...DEFAULTS, extraction: 'any' as const };
    const slow: string[] = [];
    for (const a of PIECES) {
      for (const b of PIECES) {
        const content = (a + b).repeat(Math.ceil(1_900 / (a + b).length)).slice(0, 1_900);
        const before = process.threadCpuUsage();
        verdictOf({ answer: '7', options }, { text: `\\boxed{5 ${content} integer k}` });
        verdictOf({ answer: '7', options }, { text: `${content}5` });
        const used = process.threadCpuUsage(before);
        if (used.user + used.system > 500_000) slow.push(JSON.stringify([a, b]));
      }
    }
    expect(slow).toEqual([]);
  });
});

/** Pieces of LaTeX and prose that can make patterns backtrack. */
const PIECES = [
  ' ',
  '\\ ',
  '\\quad ',
  ',',
  '(',
  '{',
  '}',
  'a',
  '1',
  '\\text{',
  '\\text{ }',
  '1^{',
  'where ',
  'integer ',
  'answer is ',
  '$',
  '\\$',
  '*',
  '_',
  '\\in ',
  '.',
  '\\left',
  '\\hspace{',
  'A, ',
  'and ',
  'x10',
  '\\',
  "'",
];
