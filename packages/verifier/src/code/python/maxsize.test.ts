/** Tests of `sys.maxsize`, which has its 64-bit value. */
import { afterAll, expect, test } from 'vitest';
import { createCodeVerifier } from '../index.ts';

const verifier = createCodeVerifier({ workers: 1, limits: { cpuMs: 2000 } });
afterAll(() => verifier.close());

test.each([
  ['has its 64-bit value', 'print(min(sys.maxsize, 5 * 10**9))', '5000000000'],
  ['can end a range', 'print(next(i for i in range(sys.maxsize) if i > 3))', '4'],
  [
    'can be the size of a cache',
    '@functools.lru_cache(maxsize=sys.maxsize)\ndef f(x): return x + 1\nprint(f(1), f(1), f.cache_parameters()["maxsize"] == sys.maxsize)',
    '2 2 True',
  ],
  [
    'does not affect decompression',
    'print(gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(b"x"))).read())',
    "b'x'",
  ],
])('sys.maxsize %s', async (_name, source, stdout) => {
  const ran = await verifier.run({
    language: 'python',
    source: `import functools, gzip, io, sys\n${source}`,
  });
  expect(ran).toMatchObject({ exitCode: 0, stdout: `${stdout}\n` });
});
