import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { snapshotKey } from './assets.ts';
import { snapshotPath } from './snapshot.ts';

const cache = mkdtempSync(join(tmpdir(), 'cipo-cache-'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

test('a snapshot in the cache folder is used without writing to the folder, which may be read-only', async () => {
  vi.stubEnv('XDG_CACHE_HOME', cache);
  const folder = join(cache, 'cipo');
  const name = `python-${snapshotKey()}.snapshot`;
  mkdirSync(folder);
  writeFileSync(join(folder, name), '');
  expect(await snapshotPath()).toBe(join(folder, name));
  expect(readdirSync(folder)).toEqual([name]);
});
