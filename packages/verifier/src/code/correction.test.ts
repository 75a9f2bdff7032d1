/** Tests of the correction prompt for code. */
import { expect, test } from 'vitest';
import { correctionPrompt } from './correction.ts';
import { parseCodeTask } from './reference.ts';

const task = parseCodeTask({
  language: 'python',
  prompt: [{ role: 'user', content: 'Add two numbers.' }],
  prefix: '',
  tests: { type: 'call', entry: 'add', cases: [{ args: [41, 1], expected: 42 }] },
});
const attempt = { text: '```python\ndef add(a, b): return a - b\n```', stop: 'end' as const };
const finding = {
  code: 'runtime-error',
  audience: 'policy' as const,
  message: 'an error (TypeError) in a hidden test',
  at: { line: 2, column: 1 },
};
const words = (findings: readonly (typeof finding)[]) =>
  correctionPrompt(task, attempt, findings)
    .map(({ content }) => content)
    .join('\n');

test('the attempt is shown whole, inside a fence that it cannot close', () => {
  expect(words([])).toContain(`\`\`\`\`\n${attempt.text}\n\`\`\`\``);
});

test('the prompt starts with the task and ends with the answer format', () => {
  const messages = correctionPrompt(task, attempt, []);
  expect(messages[0]).toEqual({ role: 'user', content: 'Add two numbers.' });
  expect(messages.at(-1)?.content).toMatch(/one fenced ```python block\.$/);
});

test('without diagnostics the prompt does not say whether the attempt is correct', () => {
  expect(words([])).toContain('It may be right or wrong.');
  expect(words([])).not.toMatch(/\b(accepted|passed|failed|rejected|incorrect)\b/i);
});

test('diagnostics are listed with their line, and nothing of the reference is shown', () => {
  expect(words([finding])).toContain('- line 2: an error (TypeError) in a hidden test');
  expect(words([finding])).not.toMatch(/\b4[12]\b/);
});
