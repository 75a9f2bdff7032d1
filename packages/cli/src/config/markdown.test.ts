import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { configurationMarkdown } from './markdown.ts';
import { trainSchema } from './schema.ts';

test('docs/reference/configuration.md is what the schema says (node packages/cli/scripts/configuration-docs.ts)', async () => {
  const file = new URL('../../../../docs/reference/configuration.md', import.meta.url);
  expect(await readFile(file, 'utf8')).toBe(configurationMarkdown());
});

test('every key of the schema stands in it', () => {
  const text = configurationMarkdown();
  for (const [path] of trainSchema.leaves) expect(text).toContain(`\`${path}\``);
});
