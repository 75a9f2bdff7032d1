/**
 * @packageDocumentation
 * Reads files of rows: JSON Lines, plain or compressed (gzip, zstd), and parquet. The first bytes tell which.
 * Leaves out: what a row means (`@cipo/verifier/rows`).
 */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { type Duplex, pipeline, Readable } from 'node:stream';
import zlib from 'node:zlib';
import { errorMessage } from '@cipo/support';
import { oneLine } from '../correction.ts';
import { TaskError } from '../types.ts';
import { MAX_LINE_BYTES, rowsOfLines } from './lines.ts';
import { rowsOfParquet } from './parquet.ts';
import type { RowFile, RowRead } from './types.ts';

export type { RowFile, RowRead } from './types.ts';

/** Limits of reading. */
export interface OpenRowsOptions {
  /** Longest line of a JSON Lines file, in bytes. Default 64 MiB. A longer line is a problem, not an error. */
  readonly maxLineBytes?: number;
}

/**
 * Opens a file of rows. Reads nothing but its first bytes.
 * @throws {Error} with a system code if the file is missing, is a folder, or may not be read
 */
export async function openRows(path: string, options: OpenRowsOptions = {}): Promise<RowFile> {
  const { head, size } = await inspectFile(path);
  const progress = { done: 0, total: size };
  const share = () => (progress.total === 0 ? undefined : progress.done / progress.total);
  if (kindOf(head) === 'parquet') {
    const report = (done: number, total: number) => Object.assign(progress, { done, total });
    return { name: path, rows: () => rowsOfParquet(path, report), share };
  }
  const counted = () => countBytes(createReadStream(path), (bytes) => (progress.done += bytes));
  return { name: path, rows: () => streamRows(counted(), options), share };
}

/**
 * Rows from a stream of JSON Lines, plain or compressed. Parquet needs a file, because its index is at the end.
 * @param name for messages
 */
export function streamedRows(
  stream: AsyncIterable<Buffer>,
  name: string,
  options: OpenRowsOptions = {},
): RowFile {
  return { name, rows: () => streamRows(stream, options), share: () => undefined };
}

async function inspectFile(path: string): Promise<{ head: Buffer; size: number }> {
  const stats = await stat(path);
  if (stats.isDirectory()) {
    throw Object.assign(new Error(`EISDIR: ${path} is a folder`), { code: 'EISDIR', path });
  }
  if (!stats.isFile()) return { head: Buffer.alloc(0), size: 0 }; // a pipe can be opened only once
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return { head: buffer.subarray(0, bytesRead), size: stats.size };
  } finally {
    await handle.close();
  }
}

type Kind = 'parquet' | 'gzip' | 'zstd' | 'text';

function kindOf(head: Buffer): Kind {
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return head.subarray(0, 4).equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])) ? 'zstd' : 'text';
}

async function* countBytes(stream: AsyncIterable<Buffer>, report: (bytes: number) => void) {
  for await (const chunk of stream) {
    report(chunk.length);
    yield chunk;
  }
}

async function* streamRows(
  stream: AsyncIterable<Buffer>,
  { maxLineBytes = MAX_LINE_BYTES }: OpenRowsOptions,
): AsyncGenerator<RowRead> {
  let line = 0;
  try {
    for await (const read of rowsOfLines(await decompress(stream), maxLineBytes)) {
      line = read.line;
      yield read;
    }
  } catch (error) {
    const message = oneLine(errorMessage(error));
    const problem = `cannot be read from here on: ${message}`;
    yield { line: line + 1, problem: new TaskError('row', problem, undefined) };
  }
}

/** The text of a stream, decompressed. */
async function decompress(stream: AsyncIterable<Buffer>): Promise<AsyncIterable<Buffer>> {
  const iterator = stream[Symbol.asyncIterator]();
  const first = await firstBytes(iterator);
  const whole = rest(first, iterator);
  const kind = kindOf(first);
  if (kind === 'parquet')
    throw new Error('parquet cannot be read from a stream: give the path of the file');
  if (kind === 'text') return whole;
  const unpack = decompressor(kind);
  // An error of either stream ends the reading of `unpack`, whose reader handles it.
  return pipeline(Readable.from(whole), unpack, () => undefined);
}

function decompressor(kind: 'gzip' | 'zstd'): Duplex {
  if (kind === 'gzip') return zlib.createGunzip();
  if (typeof zlib.createZstdDecompress === 'function') return zlib.createZstdDecompress();
  throw new Error('zstd needs Node 22.15 or newer: decompress the file first');
}

/** The first four bytes or more, unless the stream has fewer. */
async function firstBytes(iterator: AsyncIterator<Buffer>): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < 4) {
    const next = await iterator.next();
    if (next.done) break;
    bytes = Buffer.concat([bytes, next.value]);
  }
  return bytes;
}

async function* rest(first: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield first;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
