/**
 * Rows of a parquet file, one row group at a time: that is the memory it takes. List columns are lists,
 * structs are objects, whole numbers are whole.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet';
import { TaskError } from '../types.ts';
import type { RowRead } from './types.ts';

/** Told how many rows of how many have been read. */
export type Progress = (done: number, total: number) => void;

export async function* rowsOfParquet(path: string, tell: Progress): AsyncGenerator<RowRead> {
  const handle = await open(path);
  let line = 0;
  try {
    const file = await bufferOf(handle);
    for await (const row of plainRows(file, tell)) yield { line: ++line, row };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const problem = `cannot be read as parquet: ${message}`;
    yield { line: line + 1, problem: new TaskError('row', problem, undefined) };
  } finally {
    await handle.close();
  }
}

/** The library asks for slices; a handle of our own fails once and for all when the file does. */
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

async function* plainRows(file: AsyncBuffer, tell: Progress): AsyncGenerator<unknown> {
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const compressors = whole((await import('hyparquet-compressors')).compressors);
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
      yield plain(row);
      start += 1;
      tell(start, total);
    }
    start = end;
  }
}

/** A column without values is an empty page, which the LZ4 reader (1.1.2) takes for a broken one. */
function whole(compressors: Compressors): Compressors {
  const guarded = Object.entries(compressors).map(([codec, unpack]) => [
    codec,
    (input: Uint8Array, length: number) =>
      length === 0 ? new Uint8Array() : unpack(input, length),
  ]);
  return Object.fromEntries(guarded);
}

/** Values as JSON has them: 64-bit numbers that fit become numbers, dates text. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const near = Number(value);
    return Number.isSafeInteger(near) ? near : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) {
    return value instanceof Uint8Array ? value : plain([...numbers(value)]);
  }
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}

/** Columns of numbers may come as typed arrays. */
function numbers(view: ArrayBufferView): Iterable<unknown> {
  return Symbol.iterator in view ? (view as Iterable<unknown> & ArrayBufferView) : [];
}
