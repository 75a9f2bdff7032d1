import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLocalEngine } from '../index.ts';
import { tinyConfig } from '../testing/data.ts';
import { readModel } from './checkpoint.ts';
import { decodeFloats, encodeFloats } from './floats.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

let directory: string;
let file: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cipo-weights-'));
  file = join(directory, 'some.safetensors');
});
afterAll(() => rm(directory, { recursive: true }));

const float32 = fc.float({ noNaN: true });
const tensors = fc.dictionary(
  fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__' && name !== '__proto__'),
  fc.array(float32, { maxLength: 20 }).map((data) => ({
    shape: [data.length],
    data: Float32Array.from(data),
  })),
  { maxKeys: 5 },
);

describe('safetensors', () => {
  test('safetensors reads back what was written bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(tensors, async (written) => {
        await writeSafetensors(file, written, { metadata: { made: 'here' } });
        const read = await readSafetensors(file);
        expect({ ...read.tensors }).toEqual({ ...written });
        expect(read.metadata).toEqual({ made: 'here' });
      }),
      { numRuns: 40 },
    );
  });

  test('a hand-made file of the format is read', async () => {
    const header = '{"a":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}}';
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    await writeFile(
      file,
      Buffer.concat([length, Buffer.from(header), Buffer.of(0x80, 0x3f, 0, 0xc0)]),
    );
    const { tensors: read } = await readSafetensors(file);
    expect(read).toEqual({ a: { shape: [1, 2], data: Float32Array.of(1, -2) } });
  });

  test('a failed write leaves no half-written file', async () => {
    await writeSafetensors(file, { a: { shape: [1], data: Float32Array.of(1) } });
    const bad = { a: { shape: [2], data: Float32Array.of(1) } };
    await expect(writeSafetensors(file, bad)).rejects.toThrow(/"a" has 1 values/);
    await expect(writeSafetensors(directory, {})).rejects.toThrow();
    expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect((await readSafetensors(file)).tensors).toHaveProperty('a');
  });

  test('a truncated file is refused with file and tensor', async () => {
    await writeSafetensors(file, { weight: { shape: [4], data: new Float32Array(4) } });
    await truncate(file, (await stat(file)).size - 1);
    await expect(readSafetensors(file)).rejects.toThrow(/some\.safetensors.*"weight".*truncated/);
    await truncate(file, 20);
    await expect(readSafetensors(file)).rejects.toThrow(/some\.safetensors.*truncated/);
    await truncate(file, 3);
    await expect(readSafetensors(file)).rejects.toThrow(/some\.safetensors: 3 bytes/);
    await writeFile(file, 'PK\x03\x04 this is something else altogether');
    await expect(readSafetensors(file)).rejects.toThrow(/not a safetensors file/);
  });

  test('an unknown type is refused by name', async () => {
    const header = '{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}';
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    await writeFile(file, Buffer.concat([length, Buffer.from(header), Buffer.alloc(8)]));
    await expect(readSafetensors(file)).rejects.toThrow(/tensor "a".*I64/s);
  });
});

describe('half precision', () => {
  test.each(['F16', 'BF16'] as const)('every %s value survives a round trip', (type) => {
    const all = Uint8Array.from(
      Uint16Array.from({ length: 65536 }, (_, i) => i)
        .values()
        .flatMap((h) => [h & 255, h >> 8]),
    );
    const floats = decodeFloats(all, type);
    const back = new Uint16Array(encodeFloats(floats, type).buffer);
    const wrong = back.filter((h, i) => !Number.isNaN(floats[i]!) && h !== i);
    expect(wrong).toHaveLength(0);
    expect(floats.some(Number.isNaN)).toBe(true);
  });

  test.each([
    ['F16', [65504, 65520, 1e-8, 6e-8, 0.1], [65504, Infinity, 0, 2 ** -24, 0.0999755859375]],
    ['BF16', [1.00390625, 1.01171875, 3.4e38], [1, 1.015625, Infinity]],
  ] as const)('%s rounds to nearest, ties to even', (type, values, expected) => {
    const floats = decodeFloats(encodeFloats(Float32Array.from(values), type), type);
    expect([...floats]).toEqual(expected);
  });

  test('weights written as BF16 keep three digits', async () => {
    const data = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i));
    await writeSafetensors(file, { a: { shape: [100], data } }, { type: 'BF16' });
    const read = (await readSafetensors(file)).tensors.a!.data;
    const worst = Math.max(...data.map((x, i) => Math.abs(x - read[i]!) / Math.abs(x || 1)));
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThan(2 ** -8);
  });
});

describe('a model folder', () => {
  test('a model folder reads back as configuration and weights', async () => {
    const engine = await createLocalEngine({ config: tinyConfig, seed: 4, threads: 1 });
    await engine.save(directory, { weightsOnly: true });
    const { config, weights } = await readModel(directory);
    expect(config).toEqual(tinyConfig);
    expect(weights).toEqual(await engine.paramsSnapshot());
    await engine.close();
  });

  test('a folder with another shape or a missing tensor is refused with file, tensor and shapes', async () => {
    const path = join(directory, 'model.safetensors');
    const { tensors: good } = await readSafetensors(path);
    const name = 'model.layers.1.mlp.up_proj.weight';
    const wrong = { shape: [16, 24], data: good[name]!.data };
    await writeSafetensors(path, { ...good, [name]: wrong });
    const engine = await createLocalEngine({ config: tinyConfig, seed: 5, threads: 1 });
    const before = await engine.paramsSnapshot();
    await expect(engine.load(directory)).rejects.toThrow(
      /model\.safetensors.*up_proj\.weight" has shape \[16,24\], expected \[24,16\]/,
    );
    const { [name]: _, ...rest } = good;
    await writeSafetensors(path, rest);
    await expect(engine.load(directory)).rejects.toThrow(/up_proj\.weight" is missing/);
    expect(await engine.paramsSnapshot()).toEqual(before);
    await engine.close();
  });

  test('a partly overwritten folder is refused', async () => {
    const folder = join(directory, 'half');
    const engine = await createLocalEngine({ config: tinyConfig, seed: 5, threads: 1 });
    await engine.save(folder);
    const old = await readFile(join(folder, 'model.safetensors'));
    await engine.optimStep({ learningRate: 0.1 });
    await engine.save(folder);
    await engine.load(folder);
    await writeFile(join(folder, 'model.safetensors'), old);
    await expect(engine.load(folder)).rejects.toThrow(/optimizer.*step 1.*model.*step 0/);
    await engine.close();
  });

  test('an invalid configuration is refused with its key', async () => {
    await writeFile(
      join(directory, 'config.json'),
      JSON.stringify({ ...tinyConfig, head_dim: null, hidden_size: 15 }),
    );
    await expect(readModel(directory)).rejects.toThrow(/config\.json.*hidden_size 15/s);
    await writeFile(join(directory, 'config.json'), '{');
    await expect(readModel(directory)).rejects.toThrow(/config\.json/);
    await expect(readModel(join(directory, 'nowhere'))).rejects.toThrow(/nowhere/);
  });
});
