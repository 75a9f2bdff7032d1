/** Writes docs/reference/configuration.md from the schema: `node packages/cli/scripts/configuration-docs.ts`. */
import { writeFile } from 'node:fs/promises';
import { configurationMarkdown } from '../src/config/markdown.ts';

await writeFile(
  new URL('../../../docs/reference/configuration.md', import.meta.url),
  configurationMarkdown(),
);
