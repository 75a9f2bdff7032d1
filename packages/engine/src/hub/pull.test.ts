import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readModel } from '../weights/checkpoint.ts';
import { type PullOptions, type PullProgress, pullModel } from './pull.ts';
import { commit, type FakeHub, fakeHub, model } from './testing/fake-hub.ts';

const fixtures = fileURLToPath(new URL('../../../../datasets/models/fixtures', import.meta.url));
function from(folder: string) {
  return Object.fromEntries(
    readdirSync(join(fixtures, folder))
      .filter((name) => name.includes('.'))
      .map((name) => [name, readFileSync(join(fixtures, folder, name))]),
  );
}

let hub: FakeHub;
let directory: string;
beforeAll(async () => {
  hub = await fakeHub();
});
afterAll(() => hub.close());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cipo-pull-'));
  const { 'expected.safetensors': _, ...sharded } = from('parity/qwen2');
  hub.files = {
    ...sharded,
    ...from('tokenizers/qwen2'),
    'README.md': Buffer.from('not needed'),
    'pytorch_model.bin': Buffer.alloc(5000),
    'onnx/model.onnx': Buffer.alloc(5000),
    'modeling_own.py': Buffer.from('not run'),
  };
  hub.breaks = {};
  hub.deaf.clear();
  hub.forged.clear();
  hub.refused.clear();
  hub.asked.length = 0;
  hub.strange = undefined;
  hub.status = 200;
});
afterEach(() => rmSync(directory, { recursive: true }));

function pull(more: Partial<PullOptions> = {}) {
  return pullModel(model, { directory, hubUrl: hub.url, waitMs: 1, ...more });
}
const shard = 'model-00001-of-00002.safetensors';
function parts() {
  return readdirSync(directory).filter((name) => name.endsWith('.part'));
}

test('pullModel downloads what the model needs, including the shards of its index, and nothing else', async () => {
  const pulled = await pull();
  expect(pulled).toMatchObject({ path: directory, revision: commit });
  expect([...pulled.files].sort()).toEqual([
    'config.json',
    'generation_config.json',
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
    'model.safetensors.index.json',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  expect(readdirSync(directory).sort()).toEqual([...pulled.files, 'source.json'].sort());
  const expected = await readModel(join(fixtures, 'parity/qwen2'));
  expect(await readModel(directory)).toEqual(expected);
});

test('pullModel resumes a broken connection as often as needed', async () => {
  hub.breaks = { [shard]: [3000, 2000] };
  await pull();
  const ranges = hub.asked.filter(({ path }) => path === shard).map(({ range }) => range);
  const size = hub.files[shard]!.length;
  expect(ranges).toEqual(['', `bytes=3000-${size - 1}`, `bytes=5000-${size - 1}`]);
  expect(readFileSync(join(directory, shard))).toEqual(hub.files[shard]);
  expect(parts()).toEqual([]);
});

test('another run resumes where this one gave up', async () => {
  hub.breaks = { [shard]: [4000] };
  await expect(pull({ retries: 0 })).rejects.toThrow(/model-00001|terminated/);
  expect(parts()).toHaveLength(1);
  await pull();
  expect(hub.asked.filter(({ path }) => path === shard).at(-1)?.range).toMatch(/^bytes=4000-/);
  expect(readFileSync(join(directory, shard))).toEqual(hub.files[shard]);
});

test('pullModel skips files with the right checksum and downloads changed ones again', async () => {
  await pull();
  hub.asked.length = 0;
  await pull();
  expect(hub.asked).toEqual([]);
  const path = join(directory, shard);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
  await pull();
  expect(hub.asked.map((asked) => asked.path)).toEqual([shard]);
  expect(readFileSync(path)).toEqual(hub.files[shard]);
});

test.each([shard, 'tokenizer_config.json'])(
  'a download of %s with a wrong checksum is deleted',
  async (name) => {
    hub.forged.add(name);
    await expect(pull()).rejects.toThrow(`${name}: checksum`);
    expect(readdirSync(directory)).not.toContain(name);
    expect(parts()).toEqual([]);
  },
);

test('a server that ignores ranges does not corrupt a resumed file', async () => {
  hub.breaks = { [shard]: [4000] };
  hub.deaf.add(shard);
  await expect(pull()).rejects.toThrow('the server sent more than its');
  await pull();
  expect(readFileSync(join(directory, shard))).toEqual(hub.files[shard]);
});

test('progress is reported up to the total', async () => {
  const seen: PullProgress[] = [];
  const { bytes } = await pull({ onProgress: (progress) => seen.push(progress) });
  expect(seen.at(-1)).toMatchObject({ done: bytes, total: bytes });
  for (const [i, { done }] of seen.entries())
    expect(done).toBeGreaterThanOrEqual(seen[i - 1]?.done ?? 0);
});

test('pullModel downloads a single GGUF file on request', async () => {
  hub.files = {
    'tiny.gguf': readFileSync(join(fixtures, 'gguf/qwen3.gguf')),
    'other.gguf': Buffer.alloc(10),
  };
  const pulled = await pull({ file: 'tiny.gguf', revision: 'v1.0' });
  expect(pulled.files).toEqual(['tiny.gguf']);
  expect((await readModel(pulled.path)).config.model_type).toBe('qwen3');
});

test('an aborted download stops and keeps what it has', async () => {
  const controller = new AbortController();
  const onProgress = ({ path, done }: PullProgress) => {
    if (path === shard && done > 0) controller.abort(new Error('enough'));
  };
  await expect(pull({ signal: controller.signal, onProgress })).rejects.toThrow('enough');
  expect(readdirSync(directory)).not.toContain(shard);
});

test('an unsupported model is refused before its weights are downloaded', async () => {
  hub.files['config.json'] = Buffer.from('{"model_type": "mamba"}');
  await expect(pull()).rejects.toThrow(
    `${model} at c0ffee000000: model_type "mamba" is not supported`,
  );
  expect(hub.asked.some(({ path }) => path.endsWith('.safetensors'))).toBe(false);
});

test.each([
  ['an index that leaves the folder', { index: '../../x' }, 'names "../../x", which is not there'],
  ['an index of nothing', { index: null }, 'lists no shards'],
  ['only pickles', { without: /safetensors/ }, 'pickles, which are programs and are not loaded'],
  ['no tokenizer', { without: /^tokenizer/ }, 'no tokenizer.json, tokenizer_config.json.'],
])(
  'a repository with %s is refused',
  async (_, { index, without }: { index?: string | null; without?: RegExp }, words) => {
    if (index !== undefined) {
      const map = index === null ? {} : { 'model.norm.weight': index };
      hub.files['model.safetensors.index.json'] = Buffer.from(JSON.stringify({ weight_map: map }));
    }
    if (without)
      hub.files = Object.fromEntries(
        Object.entries(hub.files).filter(([name]) => !without.test(name)),
      );
    await expect(pull()).rejects.toThrow(words);
  },
);

test('a repository with only GGUF files is refused with their names', async () => {
  hub.files = { 'a-Q4_0.gguf': Buffer.alloc(1), 'b.gguf': Buffer.alloc(1) };
  await expect(pull()).rejects.toThrow('name one with --file: a-Q4_0.gguf, b.gguf');
  await expect(pull({ file: 'c.gguf' })).rejects.toThrow('no GGUF file "c.gguf"');
});

test.each([
  [403, 1],
  [404, 1],
  [429, 4],
  [502, 4],
])('a file answered with status %i is requested %i times', async (status, times) => {
  hub.refused.set(shard, status);
  await expect(pull({ retries: 3 })).rejects.toThrow();
  expect(hub.asked.filter(({ path }) => path === shard)).toHaveLength(times);
});

test.each([
  ['revision', '<html>log in</html>'],
  ['revision', '{}'],
  ['revision', 'null'],
  ['tree', '<html>log in</html>'],
  ['tree', '{}'],
] as const)('names model and hub where %s is answered with %s', async (route, body) => {
  hub.strange = { route, body };
  await expect(pull()).rejects.toThrow(`${model}: ${hub.url} does not answer like a hub`);
});

test('errors of the hub are explained', async () => {
  await expect(pull({ revision: 'nowhere' })).rejects.toThrow(
    `model ${model} with a revision nowhere does not exist on the hub`,
  );
  hub.status = 401;
  await expect(pull()).rejects.toThrow('a token of yours in HF_TOKEN may help');
  hub.status = 503;
  await expect(pull()).rejects.toThrow('the hub answered 503');
  await expect(pull({ hubUrl: 'http://127.0.0.1:9' })).rejects.toThrow('the hub cannot be reached');
  for (const name of ['../etc', './x', 'x/.', '-x/y'])
    await expect(pullModel(name, { directory })).rejects.toThrow(
      `model name: expected owner/name, got "${name}"`,
    );
  for (const hubUrl of ['notaurl', 'ftp://hub'])
    await expect(pull({ hubUrl })).rejects.toThrow(
      `hubUrl: expected an address with http:// or https://, got "${hubUrl}"`,
    );
});
