import { expect, test } from 'vitest';
import { openDomains } from '../domains/index.ts';
import { createCodeVerifier } from './index.ts';

/** What a caller in JavaScript may pass: the type of TypeScript does not stop it. */
const oldNames: object = { outputBytes: 9 };
const message = /^limits\.outputBytes: expected one of cpuMs, .*outputChars/;

test('a verifier refuses a limit that does not exist, instead of ignoring it', () => {
  expect(() => createCodeVerifier({ limits: oldNames })).toThrow(message);
});

test('domains are not opened with a limit that does not exist', async () => {
  await expect(openDomains({ limits: oldNames })).rejects.toThrow(message);
});

test('a program is not run with a limit that does not exist', async () => {
  const verifier = createCodeVerifier({ workers: 1 });
  const ran = await verifier.run({ language: 'javascript', source: '1', limits: oldNames });
  await verifier.close();
  expect(ran).toMatchObject({
    kind: 'void',
    fault: 'bad-task',
    detail: expect.stringMatching(message),
  });
});
