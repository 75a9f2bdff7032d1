/** Programs that kill, block or flood their cell, in a batch with honest programs. */
import { openDomains } from '@cipo/trainer';
import type { Attempt } from '@cipo/verifier/types';
import { afterAll, expect, test } from 'vitest';

const domains = await openDomains({ workers: 2, domains: [] });
const code = domains.get('code');
afterAll(async () => {
  await domains.close();
});

const task = code.parse({
  id: 'double',
  prompt: 'double x',
  language: 'javascript',
  tests: {
    type: 'call',
    entry: 'f',
    cases: [1, 2, 3].map((x) => ({ args: [x], expected: 2 * x })),
  },
  limits: { cpuMs: 300, wallMs: 1500 },
});
const attempt = (text: string): Attempt => ({ text, stop: 'end' });

const HOSTILE = {
  'an endless loop': 'const f = x => { for (;;); }',
  'a flood of output': 'const f = x => { for (;;) console.log("x".repeat(1e5)); }',
  'a heap bomb': 'const f = x => { const a = []; for (;;) a.push(new Array(1e5).fill(x)); }',
  'a native that no timeout reaches':
    'const f = x => "a".repeat(2 ** 28).indexOf("b".repeat(2 ** 14)) + [].fill.call({ length: 2 ** 40 }, 1)',
  'a bomb of resizable buffers':
    'const f = x => { const a = []; for (;;) a.push(new ArrayBuffer(1, { maxByteLength: 2 ** 32 })); }',
};

test('hostile programs fail and no honest program in the same batch is judged incorrect', async () => {
  const texts = Object.values(HOSTILE).flatMap((bad) => [
    'const f = x => 2 * x',
    bad,
    'const f = x => x + x',
    'const f = x => x + 1',
  ]);
  const verdicts = await Promise.all(texts.map((text) => code.verify(task, attempt(text))));
  for (const [i, verdict] of verdicts.entries()) {
    const honest = i % 4 === 0 || i % 4 === 2;
    if (honest) expect(verdict, texts[i]).toMatchObject({ kind: 'judged', passed: true });
    else expect(verdict, texts[i]).toMatchObject({ kind: 'judged', passed: false });
  }
});
