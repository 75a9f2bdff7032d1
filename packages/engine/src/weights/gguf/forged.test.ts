/** GGUF files that no tool writes: what they announce is held against what can be, and the refusal names the file. */

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openModel, readConfig } from '../folder.ts';
import { readGgufTokenizer } from './model.ts';

const scratch = mkdtempSync(join(tmpdir(), 'cipo-forged-'));
const path = join(scratch, 'forged.gguf');
afterAll(() => rmSync(scratch, { recursive: true }));

function u32(x: number) {
  return Buffer.from(Uint32Array.of(x).buffer);
}
function f32(x: number) {
  return Buffer.from(Float32Array.of(x).buffer);
}
function u64(x: number) {
  return Buffer.from(BigUint64Array.of(BigInt(x)).buffer);
}
function text(s: string) {
  return Buffer.concat([u64(Buffer.byteLength(s)), Buffer.from(s)]);
}
/** As the format has it: its type, then itself. Numbers are float32 where they are no whole ones. */
function value(x: Value): Buffer {
  if (Buffer.isBuffer(x)) return x;
  if (typeof x === 'string') return Buffer.concat([u32(8), text(x)]);
  if (typeof x === 'number')
    return Buffer.concat(Number.isInteger(x) ? [u32(4), u32(x)] : [u32(6), f32(x)]);
  const isText = typeof x[0] === 'string';
  const items = x.map((item) => (typeof item === 'string' ? text(item) : f32(item)));
  return Buffer.concat([u32(9), u32(isText ? 8 : 6), u64(x.length), ...items]);
}
type Value = Buffer | string | number | readonly (string | number)[];

interface Forged {
  readonly metadata: Record<string, Value>;
  tensors: { name: string; shape: number[]; offset: number }[];
}

/** A file of one layer that is right, changed. */
function forge(change: (file: Forged) => void): void {
  const file: Forged = {
    metadata: {
      'general.architecture': 'llama',
      'llama.embedding_length': 8,
      'llama.block_count': 1,
      'llama.attention.head_count': 2,
      'llama.attention.head_count_kv': 1,
      'llama.attention.key_length': 4,
      'llama.rope.dimension_count': 4,
      'llama.feed_forward_length': 12,
      'llama.context_length': 64,
      'llama.attention.layer_norm_rms_epsilon': 1.5e-5,
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': ['<unk>', '<s>', '</s>', 'a', 'b'],
      'tokenizer.ggml.scores': [0, 0, 0, -1, -2],
      'tokenizer.ggml.token_type': [2, 3, 3, 1, 1],
      'tokenizer.ggml.eos_token_id': 2,
    },
    tensors: [],
  };
  const shapes: Record<string, number[]> = {
    'token_embd.weight': [5, 8],
    'blk.0.attn_norm.weight': [8],
    'blk.0.ffn_norm.weight': [8],
    'blk.0.attn_q.weight': [8, 8],
    'blk.0.attn_k.weight': [4, 8],
    'blk.0.attn_v.weight': [4, 8],
    'blk.0.attn_output.weight': [8, 8],
    'blk.0.ffn_gate.weight': [12, 8],
    'blk.0.ffn_up.weight': [12, 8],
    'blk.0.ffn_down.weight': [8, 12],
    'output_norm.weight': [8],
  };
  let size = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    file.tensors.push({ name, shape, offset: size });
    size += Math.ceil(shape.reduce((a, b) => a * b, 4) / 32) * 32;
  }
  change(file);
  const entries = Object.entries(file.metadata);
  const places = file.tensors.flatMap(({ name, shape, offset }) => [
    ...[text(name), u32(shape.length), ...shape.toReversed().map(u64)],
    ...[u32(0), u64(offset)],
  ]);
  const counts = [u64(file.tensors.length), u64(entries.length)];
  const metadata = entries.flatMap(([key, x]) => [text(key), value(x)]);
  const header = Buffer.concat([Buffer.from('GGUF'), u32(3), ...counts, ...metadata, ...places]);
  writeFileSync(path, Buffer.concat([header, Buffer.alloc(size + 64)]));
}

async function refusal(work: () => Promise<unknown>): Promise<string> {
  return work().then(
    () => 'not refused',
    (error: unknown) => (error instanceof Error ? error.message : 'no error'),
  );
}

test('the unchanged forged file is valid', async () => {
  forge(() => {});
  const { source } = await openModel(path);
  expect(await source.read('model.norm.weight')).toHaveLength(8);
  await source.close();
  expect(await readGgufTokenizer(path)).toHaveProperty('tokenizer');
});

function q(file: Forged) {
  return file.tensors.find(({ name }) => name === 'blk.0.attn_q.weight')!;
}

describe('forged files', () => {
  test.each<[string, (file: Forged) => void, string]>([
    [
      'a tensor that occurs twice',
      (f) => f.tensors.push({ ...q(f) }),
      'tensor "blk.0.attn_q.weight" occurs twice',
    ],
    [
      'a weight under two names',
      (f) =>
        f.tensors.push({
          name: 'model.norm.weight',
          shape: [8],
          offset: f.tensors.at(-1)!.offset + 32,
        }),
      'tensors "output_norm.weight" and "model.norm.weight" are the same weight',
    ],
    [
      'tensors in one place',
      (f) => {
        q(f).offset = 0;
      },
      'begins at byte ',
    ],
    [
      'an offset that is not aligned',
      (f) => {
        q(f).offset = 3;
      },
      'tensor "blk.0.attn_q.weight" is at offset 3, not a multiple of 32',
    ],
    ...[0, 0.5, 3].map((alignment): [string, (file: Forged) => void, string] => [
      `an alignment of ${alignment}`,
      (f) => Object.assign(f.metadata, { 'general.alignment': alignment }),
      `general.alignment: expected a power of two, got ${alignment}`,
    ]),
    [
      'heads of which a part is rotated',
      (f) => Object.assign(f.metadata, { 'llama.rope.dimension_count': 2 }),
      '"llama.rope.dimension_count" is 2 of heads of 4: rotating a part of a head',
    ],
    [
      'a number that is a text',
      (f) => Object.assign(f.metadata, { 'llama.attention.head_count': 'two' }),
      'metadata "llama.attention.head_count": expected a number',
    ],
    [
      'a text that is a number',
      (f) => Object.assign(f.metadata, { 'general.architecture': 3 }),
      'metadata "general.architecture": expected a string',
    ],
  ])('a file with %s is refused by name', async (_, change, words) => {
    forge(change);
    const found = await refusal(() => openModel(path));
    expect(found.startsWith(`${path}: `), found).toBe(true);
    expect(found).toContain(words);
  });

  test('arrays with more elements together than any vocabulary are refused', async () => {
    const bytes = 2 ** 23 - 1;
    const arrays = ['one', 'two'].flatMap((key) => [text(key), u32(9), u32(0), u64(bytes)]);
    const [first, second] = [arrays.slice(0, 4), arrays.slice(4)].map((a) => Buffer.concat(a));
    const start = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(0), u64(2), first!]);
    writeFileSync(path, Buffer.concat([start, Buffer.alloc(bytes), second!]));
    truncateSync(path, start.length + 2 * bytes + second!.length);
    expect(await refusal(() => readConfig(path))).toBe(
      `${path}: metadata "two" brings the elements of all arrays to ${2 * bytes}, at most 8388608 are read`,
    );
  });

  test('a piece that would take seconds to split is refused', async () => {
    forge(({ metadata }) => {
      metadata['tokenizer.ggml.tokens'] = ['<unk>', '<s>', '</s>', 'a', 'a'.repeat(20_000)];
    });
    expect(await refusal(() => readGgufTokenizer(path))).toBe(
      `${path}: metadata "tokenizer.ggml.tokens": its pieces are too long to split; piece 4 has 20000 letters`,
    );
  });
});
