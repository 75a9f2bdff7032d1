/** Writes docs/reference/api: `npm run docs:api`. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { API_FOLDER, readApi } from './api.ts';

const { files, undocumented } = await readApi();
rmSync(API_FOLDER, { recursive: true, force: true });
for (const [path, markdown] of files) {
  const file = join(API_FOLDER, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, markdown);
}
console.log(`${files.size} pages in docs/reference/api`);
if (undocumented.length > 0) {
  console.error(`without a docstring:\n  ${undocumented.join('\n  ')}`);
  process.exitCode = 1;
}
