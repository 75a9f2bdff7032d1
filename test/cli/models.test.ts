/** `cipo pull` and `cipo convert`: models from a hub and from GGUF files. */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadLocalEngine, readModel } from '@cipo/engine';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeHub, fakeHub, model } from '../../packages/engine/src/hub/testing/fake-hub.ts';
import { cipo as call } from './process.ts';

const fixtures = new URL('../../datasets/models/fixtures/', import.meta.url).pathname;
let folder: string;
let hub: FakeHub;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cipo-models-'));
  hub = await fakeHub();
});
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});
const cipo = (args: readonly string[]) => call({ args, cwd: folder });

test('a model is pulled into models/owner/name and loads from there', async () => {
  for (const from of ['parity/llama-tied', 'tokenizers/smollm'])
    for (const name of readdirSync(join(fixtures, from)))
      hub.files[name] = readFileSync(join(fixtures, from, name));
  const { code, out } = await cipo(['pull', model, '--hub', hub.url]);
  expect(code).toBe(0);
  expect(out).toContain('cipo train --model models/someone/Tiny-Model');
  const engine = await loadLocalEngine(join(folder, 'models/someone/Tiny-Model'));
  expect(engine.parameterCount).toBeGreaterThan(1000);
  await engine.close();
});

test('messages of the hub reach the terminal without control characters', async () => {
  hub.files = { 'bad\u001b[2J.gguf': Buffer.alloc(1) };
  const { code, err } = await cipo(['pull', model, '--hub', hub.url, '--to', 'x']);
  expect(code).toBe(1);
  expect(err).toContain('name one with --file');
  expect(err).not.toContain('\u001b[2J');
});

test('a model is converted to a folder in another precision, with its generation settings', async () => {
  const file = join(folder, 'tiny.gguf');
  cpSync(join(fixtures, 'gguf', 'qwen3.gguf'), file);
  const { code, err } = await cipo(['convert', 'tiny.gguf', 'made']);
  expect(err).toContain('tokenizer.ggml.tokens" is missing');
  expect(code).toBe(1);
  expect(existsSync(join(folder, 'made'))).toBe(false);
  const from = join(folder, 'from');
  cpSync(join(fixtures, 'parity/qwen3'), from, { recursive: true });
  const sampling = '{"temperature":0.6,"top_k":20,"eos_token_id":[3]}';
  writeFileSync(join(from, 'generation_config.json'), sampling);
  const folders = await cipo(['convert', from, 'half', '--dtype', 'bf16']);
  expect(folders.code).toBe(0);
  expect(readFileSync(join(folder, 'half/generation_config.json'), 'utf8')).toBe(sampling);
  const [found, expected] = await Promise.all([readModel(join(folder, 'half')), readModel(from)]);
  expect(found.config).toEqual(expected.config);
  const [a, b] = [found, expected].map(({ weights }) => weights['model.norm.weight']!);
  for (const [i, x] of b!.entries())
    expect(Math.abs(a![i]! - x)).toBeLessThanOrEqual(Math.abs(x) / 256);
});

test('convert never overwrites a folder', async () => {
  const { code, err } = await cipo(['convert', 'tiny.gguf', '.']);
  expect(code).toBe(2);
  expect(err).toContain('already exists');
  expect(existsSync(join(folder, 'config.json'))).toBe(false);
});
