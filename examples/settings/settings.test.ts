import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resolveConfig } from '../../packages/cli/src/config/resolve.ts';

const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.yaml'));

test.each(files)('%s is a valid configuration', async (name) => {
  const config = await resolveConfig({ file: `${import.meta.dirname}/${name}`, flags: {} });
  expect(config.steps).toBeGreaterThan(0);
});
