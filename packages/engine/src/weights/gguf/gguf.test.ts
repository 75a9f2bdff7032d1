/** Against llama.cpp's own Python package, which wrote these files (datasets/models/gguf_files.py). */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { relativeError } from '../../testing/data.ts';
import { openBytes } from '../bytes.ts';
import { readModel } from '../checkpoint.ts';
import { openModel } from '../folder.ts';
import { readSafetensors } from '../safetensors.ts';
import { quantFormat } from './quants.ts';
import { readGgufHeader } from './reader.ts';

const root = fileURLToPath(new URL('../../../../../datasets/models/fixtures', import.meta.url));
function at(...path: string[]) {
  return join(root, ...path);
}
const scratch = mkdtempSync(join(tmpdir(), 'cipo-gguf-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const formats = await readSafetensors(at('gguf', 'formats.safetensors'));

test.each(Object.entries(formats.tensors))(
  'blocks of %s decode to the numbers of the reference',
  async (name, { shape, data }) => {
    const bytes = await openBytes(at('gguf', 'formats.gguf'));
    const { tensors } = await readGgufHeader(bytes);
    const tensor = tensors.get(name)!;
    expect(tensor.shape).toEqual(shape);
    const format = quantFormat(tensor.type);
    const size = (data.length / format.values) * format.bytes;
    const found = format.decode(await bytes.read(tensor.start, size));
    await bytes.close();
    expect(found).toEqual(data);
  },
);

describe('a model in GGUF is the model in its Hugging Face folder', () => {
  test.each(['llama-linear', 'llama-biases', 'qwen2', 'qwen3'])(
    'the GGUF model %s equals its Hugging Face folder',
    async (name) => {
      const found = await readModel(at('gguf', `${name}.gguf`));
      const expected = await readModel(at('parity', name));
      expect(found.config).toEqual(expected.config);
      expect(new Set(Object.keys(found.weights))).toEqual(new Set(Object.keys(expected.weights)));
      for (const [key, data] of Object.entries(expected.weights))
        expect(relativeError(found.weights[key]!, data), key).toBe(0);
    },
  );

  test('the rotary scaling of llama-3.1 is read from its GGUF tensor', async () => {
    const found = await readModel(at('gguf', 'llama-3.1.gguf'));
    const expected = await readModel(at('gguf', 'llama-3.1'));
    expect(found.config).toEqual(expected.config);
    expect(found.weights).toEqual(expected.weights);
  });
});

describe('a file that is not what it should be is refused with its name', () => {
  const good = readFileSync(at('gguf', 'qwen3.gguf'));
  const path = join(scratch, 'model.gguf');
  const refusal = async (bytes: Uint8Array): Promise<string> => {
    writeFileSync(path, bytes);
    try {
      const { source } = await openModel(path);
      try {
        for (const name of source.tensors.keys()) await source.read(name);
      } finally {
        await source.close();
      }
      return '';
    } catch (error) {
      return error instanceof Error ? error.message : 'no error';
    }
  };
  const changed = (change: (copy: Buffer) => void): Buffer => {
    const copy = Buffer.from(good);
    change(copy);
    return copy;
  };

  test('a GGUF file truncated anywhere is refused', async () => {
    for (let size = 0; size < good.length; size += Math.ceil(good.length / 40))
      expect(await refusal(good.subarray(0, size)), `${size}`).toMatch(/model\.gguf: .*truncated/);
  });

  test.each([
    ['not GGUF', (b: Buffer) => b.write('GGML'), 'not a GGUF file'],
    ['version 1', (b: Buffer) => b.writeUInt32LE(1, 4), 'GGUF version 1, only 2 and 3'],
    ['big endian', (b: Buffer) => b.writeUInt32BE(3, 4), 'GGUF version 50331648'],
    [
      'a billion tensors',
      (b: Buffer) => b.writeBigUInt64LE(10n ** 9n, 8),
      '1000000000 tensors, at most 65536',
    ],
    [
      'more metadata than a number holds',
      (b: Buffer) => b.writeBigUInt64LE(2n ** 63n, 16),
      'metadata entries: 9223372036854775808 is too large',
    ],
    [
      'a text of a terabyte',
      (b: Buffer) => b.writeBigUInt64LE(2n ** 40n, 24),
      'a text of 1099511627776 bytes, at most 16777216',
    ],
    [
      'an unknown architecture',
      (b: Buffer) => b.write('qwen9', b.indexOf('qwen3')),
      'general.architecture "qwen9" is not supported; these are: llama, qwen2, qwen3',
    ],
    [
      'a tensor by another name',
      (b: Buffer) => b.write('x', b.indexOf('token_embd')),
      'tensor "token_embd.weight" is missing',
    ],
    [
      'a tensor without a place',
      (b: Buffer) => b.write('z', b.indexOf('blk.1.attn_q_norm') + 4),
      'tensor "model.layers.1.self_attn.q_norm.weight" is missing',
    ],
    [
      'a format that is not read',
      (b: Buffer) => b.writeUInt32LE(10, b.indexOf('blk.0.ffn_up.weight') + 19 + 4 + 16),
      'tensor "blk.0.ffn_up.weight" is in format Q2_K, which is not read; these are: F32',
    ],
    [
      'another shape',
      (b: Buffer) => b.writeBigUInt64LE(23n, b.indexOf('blk.0.ffn_up.weight') + 19 + 4),
      'tensor "model.layers.0.mlp.up_proj.weight" has shape [32,23], expected [32,24]',
    ],
  ])('a GGUF file with this change is refused: %s', async (_, change, words) => {
    const found = await refusal(changed(change));
    expect(found).toContain('model.gguf');
    expect(found).toContain(words);
  });

  test('no changed header crashes the reader', async () => {
    const change = fc.tuple(fc.nat(1500), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const message = await refusal(
          changed((copy) => {
            for (const [place, byte] of changes) copy[place] = byte;
          }),
        );
        return message === '' || message.includes('model.gguf');
      }),
      { numRuns: 200 },
    );
  });
});
