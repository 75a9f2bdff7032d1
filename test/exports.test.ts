/** What an import costs: each entry loads its own half, and no entry loads a sandbox into the caller's process. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = new URL('..', import.meta.url).pathname;

/** Native libraries and modules of a fresh process after importing `name`. */
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

const some = (loaded: readonly string[], part: string) =>
  loaded.filter((name) => name.includes(part));

test('math loads neither the code domain nor a sandbox', async () => {
  const loaded = await loadedBy('@cipo/verifier/math');
  expect(some(loaded, '/src/math/').length).toBeGreaterThan(0);
  for (const part of ['/src/code/', 'isolated_vm', 'pyodide'])
    expect(some(loaded, part), part).toEqual([]);
});

test('code loads neither math nor isolated-vm into the process that asks', async () => {
  const loaded = await loadedBy('@cipo/verifier/code');
  expect(some(loaded, '/src/code/').length).toBeGreaterThan(0);
  for (const part of ['/src/math/', 'mathjs', 'compute-engine', 'isolated_vm', 'pyodide', '@swc'])
    expect(some(loaded, part), part).toEqual([]);
});

test('the shared types load nothing else', async () => {
  const loaded = await loadedBy('@cipo/verifier/types');
  expect(some(loaded, 'node_modules/.pnpm')).toEqual([]);
});

test('the configuration loads the limits of the engine and nothing else of it', async () => {
  const loaded = await loadedBy('@cipo/trainer/config');
  for (const part of ['onnxruntime', 'tfjs']) expect(some(loaded, part), part).toEqual([]);
  expect(some(loaded, '/engine/src/').map((url) => url.split('/').at(-1))).toEqual(['limits.ts']);
});

test('judging rows loads neither the trainer nor a sandbox, and no parquet before there is one', async () => {
  const loaded = await loadedBy('@cipo/service');
  expect(some(loaded, '/service/src/').length).toBeGreaterThan(0);
  for (const part of ['/trainer/', 'onnxruntime', 'isolated_vm', 'pyodide', '@swc', 'hyparquet'])
    expect(some(loaded, part), part).toEqual([]);
});

test('the row layer loads no domain', async () => {
  const loaded = await loadedBy('@cipo/verifier/rows');
  for (const part of ['/src/code/', '/src/math/', 'piscina'])
    expect(some(loaded, part), part).toEqual([]);
});

test('judging rows loads neither the server nor a trainer', async () => {
  const loaded = await loadedBy('@cipo/service');
  expect(some(loaded, '/service/src/').length).toBeGreaterThan(0);
  for (const part of ['/src/http/', 'fastify', 'prom-client', '/trainer/', 'onnxruntime'])
    expect(some(loaded, part), part).toEqual([]);
});
