import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { loadLocalEngine } from '../index.ts';
import { readModel, writeFolder } from './checkpoint.ts';
import { openModel, readConfig } from './folder.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

const fixtures = fileURLToPath(
  new URL('../../../../datasets/models/fixtures/parity', import.meta.url),
);
const scratch = mkdtempSync(join(tmpdir(), 'cipo-folder-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let count = 0;
/** A copy of a fixture to be spoiled. */
function copyOf(name: string): string {
  const folder = join(scratch, `${name}-${count++}`);
  cpSync(join(fixtures, name), folder, { recursive: true });
  return folder;
}
function editJson(path: string, edit: (value: Record<string, unknown>) => void): void {
  const value = JSON.parse(readFileSync(path, 'utf8'));
  edit(value);
  writeFileSync(path, JSON.stringify(value));
}

describe('weights in shards', () => {
  const index = 'model.safetensors.index.json';
  const first = 'model-00001-of-00002.safetensors';

  test('shards of the index are read, bfloat16 exactly', async () => {
    const { weights } = await readModel(join(fixtures, 'qwen2'));
    const parts = [first, 'model-00002-of-00002.safetensors'].map((name) =>
      readSafetensors(join(fixtures, 'qwen2', name)),
    );
    const [a, b] = await Promise.all(parts);
    const all = { ...a!.tensors, ...b!.tensors };
    expect(Object.keys(all)).toHaveLength(Object.keys(weights).length);
    for (const [name, { data }] of Object.entries(all)) expect(weights[name]).toEqual(data);
  });

  test('a missing or incomplete shard is refused by name', async () => {
    const folder = copyOf('qwen2');
    rmSync(join(folder, first));
    await expect(openModel(folder)).rejects.toThrow(
      /00001-of-00002\.safetensors is missing, though .*index\.json names it/,
    );
    await writeSafetensors(join(folder, first), {});
    await expect(openModel(folder)).rejects.toThrow(
      /00001-of-00002\.safetensors: tensor ".*" is missing, though .*index\.json puts it there/,
    );
  });

  test.each(['../../secret.safetensors', '/etc/passwd', '.hidden', 'a/b', '', 'a\0b'])(
    'shards outside the folder (%s) are not opened',
    async (place) => {
      const folder = copyOf('qwen2');
      editJson(join(folder, index), (value) => {
        value.weight_map = { 'model.norm.weight': place };
      });
      await expect(openModel(folder)).rejects.toThrow('is not the name of a file in this folder');
    },
  );

  test('a folder in place of a weights file is refused by name', async () => {
    const folder = copyOf('llama');
    rmSync(join(folder, 'model.safetensors'));
    mkdirSync(join(folder, 'model.safetensors'));
    await expect(openModel(folder)).rejects.toThrow(/model\.safetensors: a folder, not a file/);
  });

  test('a folder without an index or weights file is refused by name', async () => {
    const folder = copyOf('llama');
    rmSync(join(folder, 'model.safetensors'));
    await expect(openModel(folder)).rejects.toThrow(
      'no weights, neither model.safetensors nor model.safetensors.index.json',
    );
  });
});

describe('a folder whose parts do not fit is refused with file, tensor and shapes', () => {
  test.each([
    [{ num_hidden_layers: 3 }, /tensor "model\.layers\.2\.input_layernorm\.weight" is missing/],
    [{ num_hidden_layers: 1 }, /tensor "model\.layers\.1\..*" of shape .* has no place/],
    [{ intermediate_size: 33 }, /gate_proj\.weight" has shape \[32,24\], expected \[33,24\]/],
    [{ attention_bias: true }, /q_proj\.bias" is missing/],
    [{ model_type: 'bert' }, /config\.json: model_type "bert" is not supported/],
  ])('a folder with %j is refused', async (change, words) => {
    const folder = copyOf('llama');
    editJson(join(folder, 'config.json'), (config) => Object.assign(config, change));
    await expect(openModel(folder)).rejects.toThrow(words);
  });

  test('a folder with too few tensors is refused before memory is allocated', async () => {
    const folder = copyOf('llama');
    const sizes = { hidden_size: 131_072, vocab_size: 4_194_304, num_hidden_layers: 1024 };
    editJson(join(folder, 'config.json'), (config) => Object.assign(config, sizes));
    await expect(loadLocalEngine(folder, { threads: 1 })).rejects.toThrow(
      /model\.safetensors: tensor "model\.embed_tokens\.weight" has shape .*expected \[4194304,131072\]/,
    );
  });

  test('tensors that old versions of transformers saved are ignored', async () => {
    const folder = copyOf('llama-tied');
    const path = join(folder, 'model.safetensors');
    const { tensors } = await readSafetensors(path);
    const extra = { shape: [2], data: Float32Array.of(1, 2) };
    await writeSafetensors(path, {
      ...tensors,
      'lm_head.weight': tensors['model.embed_tokens.weight']!,
      'model.layers.0.self_attn.rotary_emb.inv_freq': extra,
    });
    const { source } = await openModel(folder);
    await source.close();
  });
});

describe('what ends a completion', () => {
  test('end tokens are read from generation_config.json before config.json', async () => {
    const folder = copyOf('llama');
    const path = join(folder, 'generation_config.json');
    editJson(path, (config) => Object.assign(config, { eos_token_id: [3, 4] }));
    expect((await readConfig(folder)).eos_token_id).toEqual([3, 4]);
    rmSync(path);
    expect((await readConfig(folder)).eos_token_id).toBe(1);
  });
});

describe('a safetensors file', () => {
  const path = join(scratch, 'file.safetensors');
  const written = (header: unknown, body = 16) => {
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    writeFileSync(path, Buffer.concat([length, text, Buffer.alloc(body)]));
    return readSafetensors(path);
  };
  const entry = (start: number, end: number, shape = [(end - start) / 4]) => ({
    dtype: 'F32',
    shape,
    data_offsets: [start, end],
  });

  test.each([
    [
      'tensors that overlap',
      { a: entry(0, 8), b: entry(4, 12) },
      'tensor "b" begins at byte 4, expected 8',
    ],
    ['a gap', { a: entry(0, 4), b: entry(8, 12) }, 'tensor "b" begins at byte 8, expected 4'],
    ['more than there is', { a: entry(0, 64) }, 'tensor "a": truncated, ends at byte 64 of 16'],
    ['an end before its beginning', { a: entry(8, 0, []) }, 'tensor "a": -8 bytes'],
    [
      'a shape that does not fit',
      { a: entry(0, 8, [3]) },
      '8 bytes for F32 of shape [3], expected 12',
    ],
    ['a negative axis', { a: entry(0, 8, [-2]) }, 'tensor "a"'],
    ['twenty axes', { a: entry(0, 4, Array(20).fill(1)) }, 'tensor "a"'],
    ['more bytes than tensors', { a: entry(0, 8) }, 'its tensors end at byte 8, the file at 16'],
    ['a list for a header', [1, 2], 'the header is not a JSON object'],
  ])('a safetensors file with %s is refused', async (_, header, words) => {
    await expect(written(header)).rejects.toThrow(words);
    await expect(written(header)).rejects.toThrow('file.safetensors');
  });

  test('a deeply nested header entry is refused by name', async () => {
    const header = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path, Buffer.concat([length, Buffer.from(header)]));
    await expect(readSafetensors(path)).rejects.toThrow(/file\.safetensors: tensor "a": .*object/s);
  });

  test('a header of a terabyte is refused at once', async () => {
    const length = Buffer.alloc(64);
    length.writeBigUInt64LE(2n ** 40n);
    writeFileSync(path, length);
    await expect(readSafetensors(path)).rejects.toThrow('header of 1099511627776 bytes announced');
  });

  test('a file with any bytes changed is read or refused by name', async () => {
    const good = readFileSync(join(fixtures, 'llama', 'model.safetensors'));
    const change = fc.tuple(fc.nat(2500), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const copy = Buffer.from(good);
        for (const [place, byte] of changes) copy[place] = byte;
        writeFileSync(path, copy);
        const message = await readSafetensors(path).then(
          () => 'file.safetensors',
          (error: unknown) => (error instanceof Error ? error.message : ''),
        );
        return message.includes('file.safetensors');
      }),
      { numRuns: 100 },
    );
  });
});

test.each(['F32', 'F16', 'BF16'] as const)(
  'a folder written in %s reads back in that type',
  async (type) => {
    const { config, weights } = await readModel(join(fixtures, 'qwen3'));
    const folder = join(scratch, type);
    const shapes = await openModel(join(fixtures, 'qwen3'));
    const tensors = [...shapes.source.tensors].map(([name, { shape }]) => ({
      name,
      shape,
      read: () => weights[name]!,
    }));
    await shapes.source.close();
    await writeFolder(folder, config, tensors, { type });
    const found = await readModel(folder);
    expect(found.config).toEqual(config);
    const tolerance = { F32: 0, F16: 2 ** -11, BF16: 2 ** -8 }[type];
    for (const [name, data] of Object.entries(weights))
      for (const [i, x] of data.entries())
        expect(Math.abs(found.weights[name]![i]! - x)).toBeLessThanOrEqual(
          tolerance * Math.abs(x) + (type === 'F16' ? 2 ** -25 : 0),
        );
  },
);
