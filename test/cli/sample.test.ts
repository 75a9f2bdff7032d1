/** `cipo sample`: responses streamed or listed, and the errors for invalid flags. */
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { cipo as call } from './process.ts';

const sample = (...args: readonly string[]) => call({ args: ['sample', ...args], cwd: tmpdir() });
const prompt = ['--prompt', '18,*5,+2,+2'];

test('a single response is streamed and equals the listed one', async () => {
  const { code, out } = await sample(...prompt, '--temperature', '0');
  expect(code).toBe(0);
  expect(out).toMatch(/^18\*5=\d+.*\\boxed\{\d+\}\n$/);
  const listed = await sample(...prompt, '--temperature', '0', '--json');
  expect(`${JSON.parse(listed.out).text}\n`).toBe(out);
});

test('several responses are listed with their stop reasons, and a stop text ends each', async () => {
  const { out } = await sample(...prompt, '-n', '3', '--temperature', '0', '--stop', ',');
  expect(out.match(/, stop text,/g)).toHaveLength(3);
  expect(out).toMatch(/── 3 of 3: \d+ tokens, stop text, -?0\.00 nats per token\n18\*5=\d+,\n$/);
});

test('JSON Lines have one logprob per token and are the same for the same seed', async () => {
  const rows = async () => {
    const { out } = await sample(...prompt, '-n', '2', '--seed', '7', '--json');
    return out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  };
  const found = await rows();
  expect(found.map(({ index, prompt: asked }) => [index, asked])).toEqual(
    [0, 1].map((i) => [i, prompt[1]]),
  );
  for (const { tokens, logprobs } of found) expect(logprobs).toHaveLength(tokens.length);
  expect(await rows()).toEqual(found);
});

test.each([
  {
    args: ['--top-p', '2'],
    message: /'--top-p <p>' argument '2' is invalid. Expected a number above 0/,
  },
  { args: ['-n', 'some'], message: /'-n, --number <n>' argument 'some' is invalid/ },
  {
    args: ['-n', '0'],
    message: /'-n, --number <n>' argument '0' is invalid. Expected a whole number of at least 1/,
  },
  { args: ['--max-tokens', '0'], message: /'--max-tokens <n>' argument '0' is invalid/ },
  { args: ['--prompt', ''], message: /'--prompt <text>' argument '' is invalid. Expected text/ },
])('the invalid flag $args is rejected by name, with exit code 2', async ({ args, message }) => {
  const { code, out, err } = await sample(...prompt, ...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(message);
});

test('the error for a prompt that is too long has both lengths', async () => {
  const long = await sample('--raw', '--prompt', '1'.repeat(3000));
  expect(long.code).toBe(1);
  expect(long.err).toMatch(/too long: expected fewer than \d+ tokens.* got 3\d{3}/);
});
