import { afterAll, describe, expect, test } from 'vitest';
import { DEFAULTS, type Extraction, MathPool } from './index.ts';
import { BOMBS } from './testing/bombs.ts';

const REFERENCES = ['5', '\\sqrt{2}', 'x^2+1'];
const MODES: readonly Extraction[] = ['boxed', 'any'];

describe('bombs', () => {
  const pool = new MathPool();
  afterAll(() => pool.close());

  test.each(BOMBS.map((bomb) => [bomb.name, bomb.text] as const))(
    '%s: answered, never passed, and the pool works on',
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

  test('each is answered within a second of CPU time, alone and in this process', async () => {
    const { verdictOf } = await import('./index.ts');
    const slow = BOMBS.filter((bomb) => {
      const before = process.threadCpuUsage();
      verdictOf({ answer: '\\sqrt{2}', options: DEFAULTS }, bomb);
      const used = process.threadCpuUsage(before);
      return used.user + used.system > 1_000_000;
    });
    expect(slow.map((bomb) => bomb.name)).toEqual([]);
  });
});
