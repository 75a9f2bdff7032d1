/** Checks docs/reference/api: every public name has a docstring, and the committed reference matches the sources. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { API_FOLDER, type ApiReference, readApi } from '../../docs/api-tool/api.ts';

/** TypeDoc reads all packages in about five seconds of CPU time. */
const READ_MS = 300_000;

let api: ApiReference;
beforeAll(async () => {
  api = await readApi();
}, READ_MS);

test('every public name and every entry point has a docstring', () => {
  expect(api.undocumented).toEqual([]);
});

test('docs/reference/api has the current docstrings (npm run docs:api)', () => {
  const committed = globSync('**/*.md', { cwd: API_FOLDER });
  expect(committed.sort()).toEqual([...api.files.keys()].sort());
  for (const [path, markdown] of api.files) {
    expect(
      readFileSync(join(API_FOLDER, path), 'utf8') === markdown,
      `${path} is out of date`,
    ).toBe(true);
  }
});
