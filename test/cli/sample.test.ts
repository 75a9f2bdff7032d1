/** `cipo sample`: answers to look at, streamed or listed, and what is said of wrong flags. */
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { cipo as call } from './process.ts';

const sample = (...args: readonly string[]) => call({ args: ['sample', ...args], cwd: tmpdir() });
const prompt = ['--prompt', '18,*5,+2,+2'];

test('an answer is written as it comes, and is the one that is listed', async () => {
  const { code, out } = await sample(...prompt, '--temperature', '0');
  expect(code).toBe(0);
  expect(out).toMatch(/^18\*5=\d+.*\\boxed\{\d+\}\n$/);
  const listed = await sample(...prompt, '--temperature', '0', '--json');
  expect(`${JSON.parse(listed.out).text}\n`).toBe(out);
});

test('several answers come with their ends, and a stop text ends each', async () => {
  const { out } = await sample(...prompt, '-n', '3', '--temperature', '0', '--stop', ',');
  expect(out.match(/at a stop text/g)).toHaveLength(3);
  expect(out).toMatch(/── 3 of 3: \d+ tokens, at a stop text, -?0\.00 nats a token\n18\*5=\d+,\n$/);
});

test('JSON Lines have a token and a logprob for every step, the same for the same seed', async () => {
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

test('a flag that means nothing is named', async () => {
  const wrong = await sample(...prompt, '--top-p', '2');
  expect([wrong.code, wrong.err]).toEqual([
    1,
    expect.stringContaining('topP is 2, must be above 0'),
  ]);
  const word = await sample(...prompt, '-n', 'some');
  expect([word.code, word.err]).toEqual([2, expect.stringContaining("'some' is invalid")]);
  const long = await sample('--raw', '--prompt', '1'.repeat(3000));
  expect([long.code, long.err]).toEqual([1, expect.stringContaining('leaves no room')]);
});
