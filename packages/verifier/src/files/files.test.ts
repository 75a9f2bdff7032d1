import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, expect, test } from 'vitest';
import { normalizeRow } from '../rows/index.ts';
import { openRows, type RowRead, streamedRows } from './index.ts';
import { rowsOfLines } from './lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'cipo-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function parquet(columnData: ColumnSource[], rowGroupSize?: number) {
  return Buffer.from(parquetWriteBuffer({ columnData, ...(rowGroupSize ? { rowGroupSize } : {}) }));
}

async function all(rows: AsyncIterable<RowRead>): Promise<RowRead[]> {
  const reads: RowRead[] = [];
  for await (const one of rows) reads.push(one);
  return reads;
}

async function read(path: string) {
  return all((await openRows(path)).rows());
}

function seen(reads: readonly RowRead[]) {
  return reads.map(({ line, row, problem }) => [line, problem ? problem.message : row]);
}

test('an unreadable line is reported by its number, and reading continues', async () => {
  const lines = ['\ufeff{"a":1}\r', '', '{"a":', 'null', '  ', '{"b":2}'];
  const bytes = Buffer.concat([
    Buffer.from(`${lines.join('\n')}\n`),
    Buffer.from([0x7b, 0xff, 0x7d, 0x0a]),
    Buffer.from('{"last":true}'),
  ]);
  expect(seen(await read(file('mixed.jsonl', bytes)))).toEqual([
    [1, { a: 1 }],
    [3, 'row: expected JSON: Unexpected end of JSON input, received "{\\"a\\":"'],
    [4, null],
    [6, { b: 2 }],
    [7, 'row: expected UTF-8, received "{ÿ}"'],
    [8, { last: true }],
  ]);
});

test('the lines of a stream do not depend on how it is split into chunks', async () => {
  const text = '{"a":"é"}\n\n{"b":"𝔘"}\r\nnot json\n{"c":3}';
  const whole = seen(await all(rowsOfLines(chunks(Buffer.from(text), [1e9]))));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (sizes) => {
      expect(seen(await all(rowsOfLines(chunks(Buffer.from(text), sizes))))).toEqual(whole);
    }),
  );
});

async function* chunks(bytes: Buffer, sizes: readonly number[]) {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

test('a line that is too long is counted but not kept in memory', async () => {
  const bytes = Buffer.from(`{"a":1}\n"${'x'.repeat(5000)}"\n{"b":2}\n`);
  expect(seen(await all(rowsOfLines(chunks(bytes, [100]), 1000)))).toEqual([
    [1, { a: 1 }],
    [2, 'row: expected at most 1000 bytes, received "5002 bytes"'],
    [3, { b: 2 }],
  ]);
});

test('gzip and zstd are recognized by their first bytes, whatever the file name is', async () => {
  const text = '{"a":1}\n{"b":2}\n';
  const two = Buffer.concat([gzipSync(text), gzipSync('{"c":3}\n')]);
  expect(seen(await read(file('gz.jsonl', two)))).toEqual([
    [1, { a: 1 }],
    [2, { b: 2 }],
    [3, { c: 3 }],
  ]);
  expect(await read(file('zstd.jsonl', zstdCompressSync(text)))).toHaveLength(2);
  const stream = streamedRows(chunks(gzipSync(text), [3]), 'stream');
  expect(await all(stream.rows())).toHaveLength(2);
});

test('a truncated file gives its complete rows and then a problem', async () => {
  const rows = Array.from({ length: 5000 }, (_, i) => JSON.stringify({ i, x: Math.sin(i) }));
  const packed = gzipSync(rows.join('\n'));
  const reads = await read(file('cut.jsonl.gz', packed.subarray(0, packed.length / 2)));
  expect(reads.length).toBeGreaterThan(1000);
  expect(reads.at(-1)?.problem?.message).toMatch(/^row: cannot be read from here on: /);
  expect(reads.slice(0, -1).every(({ problem }) => problem === undefined)).toBe(true);
});

test('parquet rows keep lists, structs, JSON, nulls and 64-bit integers over several row groups', async () => {
  const path = file(
    'rows.parquet',
    parquet(
      [
        { name: 'answer', data: ['18', '19', '20'], type: 'STRING' },
        { name: 'test_list', data: [['a', 'b'], [], ['c']] },
        { name: 'index', data: [1n, 2n, 2n ** 60n], type: 'INT64' },
        {
          name: 'reward_model',
          data: [{ ground_truth: '18' }, { ground_truth: '19' }, null],
          type: 'JSON',
        },
      ],
      2,
    ),
  );
  expect(await read(path)).toEqual([
    {
      line: 1,
      row: { answer: '18', test_list: ['a', 'b'], index: 1, reward_model: { ground_truth: '18' } },
    },
    {
      line: 2,
      row: { answer: '19', test_list: [], index: 2, reward_model: { ground_truth: '19' } },
    },
    { line: 3, row: { answer: '20', test_list: ['c'], index: 2n ** 60n, reward_model: null } },
  ]);
});

test('parquet files of pyarrow are read: turns, structs, lists, a column without values', async () => {
  const reads = await read(join(import.meta.dirname, 'fixtures', 'verl.parquet'));
  expect(reads).toHaveLength(5);
  expect(reads[3]).toEqual({
    line: 4,
    row: {
      data_source: 'openai/gsm8k',
      prompt: [{ role: 'user', content: '3 and 1?' }],
      ability: 'math',
      reward_model: { style: 'rule', ground_truth: '4' },
      extra_info: { split: 'train', index: 3 },
      tags: ['sum', 'easy'],
      comment: null,
    },
  });
  expect(normalizeRow(reads[4]?.row).fields).toMatchObject({
    id: 'openai/gsm8k/train/4',
    answer: '5',
  });
});

test('broken parquet, and parquet in a stream, give problems and not exceptions', async () => {
  const [broken] = await read(file('broken.parquet', 'PAR1 and then nothing'));
  expect(broken?.problem?.message).toMatch(/^row: cannot be read as parquet: /);
  const bytes = parquet([{ name: 'a', data: [1] }]);
  const [streamed] = await all(streamedRows(chunks(bytes, [5]), 'stream').rows());
  expect(streamed?.problem?.message).toMatch(/parquet cannot be read from a stream/);
});

test('a missing file and a folder are errors before anything is read', async () => {
  await expect(openRows(join(folder, 'none.jsonl'))).rejects.toThrow(/ENOENT/);
  await expect(openRows(folder)).rejects.toThrow(/folder/);
});

test('the share that has been read grows to 1', async () => {
  const opened = await openRows(file('share.jsonl', '{"a":1}\n'.repeat(10)));
  expect(opened.share()).toBe(0);
  await all(opened.rows());
  expect(opened.share()).toBe(1);
});
