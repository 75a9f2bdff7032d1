/** Random access to the bytes of a file or of memory: models are too large to be held twice. */

import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { EngineError } from '../errors.ts';

/** Bytes with random access. */
export interface Bytes {
  /** For messages. */
  readonly path: string;
  readonly size: number;
  /** @throws EngineError `file` if the file ends before */
  read(start: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Maximum bytes of one system call; some systems refuse 2 GiB and more. */
const MOST_AT_ONCE = 2 ** 28;

/**
 * Opens a file.
 * @throws EngineError `file` for a folder; the error of the file system
 */
export async function openBytes(path: string): Promise<Bytes> {
  const handle = await open(path, 'r');
  const found = await handle.stat();
  if (found.isDirectory()) {
    await handle.close();
    throw new EngineError('file', `${path}: a folder, not a file`);
  }
  const { size } = found;
  return {
    path,
    size,
    read: (start, length) => readFully(handle, path, start, length),
    close: () => handle.close(),
  };
}

async function readFully(handle: FileHandle, path: string, start: number, length: number) {
  const out = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(
      out,
      done,
      Math.min(MOST_AT_ONCE, length - done),
      start + done,
    );
    if (bytesRead === 0)
      throw new EngineError('file', `${path}: truncated, ends before byte ${start + length}`);
    done += bytesRead;
  }
  return out;
}

/**
 * Writes a file beside the target and renames it over the target, so that a reader never sees half a file.
 * @throws the error of the file system (no space, no permission); the old file is unchanged then
 */
export async function writeAtomically(path: string, data: Uint8Array | string): Promise<void> {
  await replaceFile(path, (temporary) => writeFile(temporary, data));
}

/** As {@link writeAtomically}, in pieces. */
export async function writePieces(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  await replaceFile(path, async (temporary) => {
    await using handle = await open(temporary, 'wx');
    for await (const piece of pieces) await writeFully(handle, piece);
  });
}

async function writeFully(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const { bytesWritten } = await handle.write(
      piece,
      done,
      Math.min(MOST_AT_ONCE, piece.length - done),
    );
    done += bytesWritten;
  }
}

async function replaceFile(path: string, write: (temporary: string) => Promise<void>) {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
