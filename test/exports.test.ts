/** What each entry point loads: only its own part, and no sandbox in the process of the caller. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = new URL('..', import.meta.url).pathname;

/** The modules and native libraries of a new process after it has imported `name`. */
async function loadedBy(name: string): Promise<string[]> {
  const script = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ load: (url, context, next) => { seen.push(url); return next(url, context); } });
    await import(${JSON.stringify(name)});
    seen.push(...process.report.getReport().sharedObjects);
    console.log(JSON.stringify(seen));
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script],
    { cwd: root },
  );
  return JSON.parse(stdout);
}

function matching(loaded: readonly string[], part: string): string[] {
  return loaded.filter((name) => name.includes(part));
}

test('@cipo/verifier/math loads neither the code domain nor a sandbox', async () => {
  const loaded = await loadedBy('@cipo/verifier/math');
  expect(matching(loaded, '/src/math/').length).toBeGreaterThan(0);
  for (const part of ['/src/code/', 'isolated_vm', 'pyodide'])
    expect(matching(loaded, part), part).toEqual([]);
});

test('@cipo/verifier/code loads neither math nor isolated-vm into the importing process', async () => {
  const loaded = await loadedBy('@cipo/verifier/code');
  expect(matching(loaded, '/src/code/').length).toBeGreaterThan(0);
  for (const part of ['/src/math/', 'mathjs', 'compute-engine', 'isolated_vm', 'pyodide', '@swc'])
    expect(matching(loaded, part), part).toEqual([]);
});

test('@cipo/verifier/types loads no dependency', async () => {
  const loaded = await loadedBy('@cipo/verifier/types');
  expect(matching(loaded, 'node_modules/.pnpm')).toEqual([]);
});

test('@cipo/trainer/config loads the limits of the engine and nothing else of it', async () => {
  const loaded = await loadedBy('@cipo/trainer/config');
  for (const part of ['onnxruntime', 'tfjs']) expect(matching(loaded, part), part).toEqual([]);
  expect(matching(loaded, '/engine/src/').map((url) => url.split('/').at(-1))).toEqual([
    'limits.ts',
    'errors.ts',
  ]);
});

test('@cipo/service loads neither the trainer nor a sandbox nor a parquet reader', async () => {
  const loaded = await loadedBy('@cipo/service');
  expect(matching(loaded, '/service/src/').length).toBeGreaterThan(0);
  for (const part of ['/trainer/', 'onnxruntime', 'isolated_vm', 'pyodide', '@swc', 'hyparquet'])
    expect(matching(loaded, part), part).toEqual([]);
});

test('@cipo/verifier/rows loads no domain', async () => {
  const loaded = await loadedBy('@cipo/verifier/rows');
  for (const part of ['/src/code/', '/src/math/', 'piscina'])
    expect(matching(loaded, part), part).toEqual([]);
});

test('@cipo/service loads no server', async () => {
  const loaded = await loadedBy('@cipo/service');
  expect(matching(loaded, '/service/src/').length).toBeGreaterThan(0);
  for (const part of ['/src/http/', 'fastify', 'prom-client', '/trainer/', 'onnxruntime'])
    expect(matching(loaded, part), part).toEqual([]);
});
