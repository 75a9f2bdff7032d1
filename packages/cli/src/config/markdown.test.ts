import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { configurationMarkdown } from './markdown.ts';
import { trainSchema } from './schema.ts';

test('docs/reference/configuration.md is current (else run node packages/cli/scripts/configuration-docs.ts)', async () => {
  const file = new URL('../../../../docs/reference/configuration.md', import.meta.url);
  expect(await readFile(file, 'utf8')).toBe(configurationMarkdown());
});

test('the generated page names every key of the schema', () => {
  const text = configurationMarkdown();
  for (const [path] of trainSchema.leaves) expect(text).toContain(`\`${path}\``);
});
