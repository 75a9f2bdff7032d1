/**
 * Where verdict rows go: standard output or a file, whole lines only. A reader that goes away (`| head`)
 * is an end, not an error.
 */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { UserError } from '../errors.ts';

export interface Output {
  /** Waits while the reader is slow. After the reader has gone it does nothing. */
  write(text: string): Promise<void>;
  /** Raised when nobody reads any more. */
  readonly gone: AbortSignal;
  /** Writes what is left. @throws {UserError} where it cannot be written */
  end(): Promise<void>;
}

/** @param path a file, packed where it ends with `.gz`; absent: standard output */
export function openOutput(path: string | undefined, append: boolean): Output {
  if (path === undefined) return outputOf(process.stdout, async () => undefined);
  const file = createWriteStream(path, { flags: append ? 'a' : 'w' });
  if (!path.endsWith('.gz')) return outputOf(file, () => ended(file, file));
  const gzip = createGzip();
  gzip.pipe(file);
  return outputOf(gzip, () => ended(gzip, file), file);
}

async function ended(first: Writable, last: Writable): Promise<void> {
  first.end();
  await finished(last);
}

function outputOf(stream: Writable, close: () => Promise<void>, last: Writable = stream): Output {
  const gone = new AbortController();
  let failure: Error | undefined;
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') failure ??= error;
    gone.abort();
  };
  for (const each of new Set([stream, last])) each.on('error', onError);
  const check = () => {
    if (failure) throw new UserError(`Cannot write the verdicts: ${failure.message}`);
  };
  return {
    gone: gone.signal,
    async write(text) {
      check();
      if (gone.signal.aborted || stream.write(text)) return;
      await Promise.race([once(stream, 'drain', { signal: gone.signal }).catch(() => undefined)]);
      check();
    },
    async end() {
      check();
      if (!gone.signal.aborted) await close();
    },
  };
}
