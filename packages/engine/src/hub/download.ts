/**
 * Downloads one file into `<name>.<digest>.part`: resumes where it stopped, retries when the connection breaks, and
 * renames the file once its checksum is right.
 */

import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HubApiError } from '@huggingface/hub';
import { EngineError } from '../errors.ts';
import type { RemoteFile } from './choose.ts';

/** The bytes of the file from `start` to its end. */
export type Source = (start: number) => Promise<ReadableStream<Uint8Array>>;

export interface DownloadOptions {
  readonly directory: string;
  readonly signal?: AbortSignal;
  /** Maximum number of retries of a broken connection. */
  readonly retries: number;
  /** Wait before the first retry, ms; doubled for each further one. */
  readonly waitMs: number;
  /** Called with the number of bytes downloaded so far. */
  readonly onBytes: (done: number) => void;
}

/** @throws EngineError `network` naming the file, if its checksum is wrong or it cannot be downloaded */
export async function download(
  file: RemoteFile,
  source: Source,
  options: DownloadOptions,
): Promise<void> {
  const target = join(options.directory, file.path);
  if (await isWhole(target, file)) {
    options.onBytes(file.size);
    return;
  }
  const part = `${target}.${file.digest.hex.slice(0, 12)}.part`;
  for (let attempt = 0; ; attempt++) {
    try {
      await fetchRest(part, file, source, options);
      break;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (isFinal(error) || attempt >= options.retries) throw error;
      await sleep(options.waitMs * 2 ** attempt, undefined, { signal: options.signal });
    }
  }
  await rename(part, target);
}

/** An error that a retry would not change. */
export class FinalError extends EngineError {
  constructor(message: string) {
    super('network', message);
  }
}

/** Status codes below 500 that are worth a retry. */
const PATIENCE = [408, 425, 429];

function isFinal(error: unknown): boolean {
  return (
    error instanceof FinalError ||
    (error instanceof HubApiError && error.statusCode < 500 && !PATIENCE.includes(error.statusCode))
  );
}

async function fetchRest(
  part: string,
  file: RemoteFile,
  source: Source,
  { signal, onBytes }: DownloadOptions,
): Promise<void> {
  let done = Math.max(0, Math.min(await sizeOf(part), file.size));
  const hash = hashOf(file);
  if (done > 0) await hashFile(hash, part, done);
  await using handle = await open(part, done > 0 ? 'r+' : 'w');
  onBytes(done);
  if (done < file.size)
    for await (const piece of await source(done)) {
      signal?.throwIfAborted();
      if (done + piece.length > file.size) {
        await rm(part, { force: true });
        throw new FinalError(
          `${file.path}: the server sent more than its ${file.size} bytes; run again to restart the download`,
        );
      }
      await handle.write(piece, 0, piece.length, done);
      hash.update(piece);
      done += piece.length;
      onBytes(done);
    }
  if (done < file.size)
    throw new EngineError(
      'network',
      `${file.path}: the connection ended at byte ${done} of ${file.size}`,
    );
  const found = hash.digest('hex');
  if (found === file.digest.hex) return;
  await rm(part, { force: true });
  throw new FinalError(
    `${file.path}: checksum ${found}, expected ${file.digest.hex}; the download was thrown away`,
  );
}

async function isWhole(path: string, file: RemoteFile): Promise<boolean> {
  if ((await sizeOf(path)) !== file.size) return false;
  const hash = hashOf(file);
  await hashFile(hash, path, file.size);
  return hash.digest('hex') === file.digest.hex;
}

/** Git hashes a file together with its size. */
function hashOf({ digest, size }: RemoteFile): Hash {
  if (digest.kind === 'sha256') return createHash('sha256');
  return createHash('sha1').update(`blob ${size}\0`);
}

async function hashFile(hash: Hash, path: string, length: number): Promise<void> {
  if (length === 0) return;
  for await (const piece of createReadStream(path, { end: length - 1 })) hash.update(piece);
}

/** Size of a file; -1 if there is none. */
function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => -1,
  );
}
