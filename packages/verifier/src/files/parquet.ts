/**
 * Reads a parquet file in the memory of one row group. List columns become lists, structs objects, and integers stay exact.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { errorMessage } from '@cipo/support';
import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet';
import { oneLine } from '../correction.ts';
import { TaskError } from '../types.ts';
import type { RowRead } from './types.ts';

/** Called with the number of rows read and the total. */
export type Progress = (done: number, total: number) => void;

export async function* rowsOfParquet(path: string, report: Progress): AsyncGenerator<RowRead> {
  const handle = await open(path);
  let line = 0;
  try {
    const file = await bufferOf(handle);
    for await (const row of readRows(file, report)) yield { line: ++line, row };
  } catch (error) {
    const message = oneLine(errorMessage(error));
    const problem = `cannot be read as parquet: ${message}`;
    yield { line: line + 1, problem: new TaskError('row', problem, undefined) };
  } finally {
    await handle.close();
  }
}

/** The library reads slices. An own file handle keeps reading the same file if the path changes. */
async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = Buffer.alloc(Math.max(0, end - start));
      await handle.read(bytes, 0, bytes.length, start);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    },
  };
}

async function* readRows(file: AsyncBuffer, report: Progress): AsyncGenerator<unknown> {
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const compressors = acceptEmptyPages((await import('hyparquet-compressors')).compressors);
  const metadata: FileMetaData = await parquetMetadataAsync(file);
  const total = Number(metadata.num_rows);
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    const rows = await parquetReadObjects({
      file,
      metadata,
      compressors,
      rowStart: start,
      rowEnd: end,
    });
    for (const row of rows) {
      yield toPlain(row);
      start += 1;
      report(start, total);
    }
    start = end;
  }
}

/** A column without values has an empty page, which the LZ4 reader (1.1.2) refuses. */
function acceptEmptyPages(compressors: Compressors): Compressors {
  const guarded = Object.entries(compressors).map(([codec, unpack]) => [
    codec,
    (input: Uint8Array, length: number) =>
      length === 0 ? new Uint8Array() : unpack(input, length),
  ]);
  return Object.fromEntries(guarded);
}

/** A value as JSON would have it: 64-bit integers become numbers if they are safe integers, dates become text. */
function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const near = Number(value);
    return Number.isSafeInteger(near) ? near : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) {
    return value instanceof Uint8Array ? value : toPlain([...numbers(value)]);
  }
  if (Array.isArray(value)) return value.map(toPlain);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toPlain(part)]));
}

/** The numbers of a typed array: a column of numbers can be one. */
function numbers(view: ArrayBufferView): Iterable<unknown> {
  return Symbol.iterator in view ? (view as Iterable<unknown> & ArrayBufferView) : [];
}
