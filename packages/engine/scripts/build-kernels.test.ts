import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BUILT, buildKernels } from './build-kernels.ts';

test('adamw.wasm is adamw.wat assembled', async () => {
  expect(Buffer.from(readFileSync(BUILT)).equals(Buffer.from(await buildKernels()))).toBe(true);
});
