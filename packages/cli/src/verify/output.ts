/**
 * Writes verdict rows to standard output or to a file, whole lines only. A reader that closes the pipe (`| head`) ends
 * the command without an error.
 */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { EXIT, explainOutput, UserError } from '../errors.ts';

interface Output {
  /** Waits while the reader is slow. Does nothing after the reader has closed the pipe. */
  write(text: string): Promise<void>;
  /** Aborted when nobody reads the output any more. */
  readonly gone: AbortSignal;
  /** Writes what is buffered. @throws {UserError} if it cannot be written */
  end(): Promise<void>;
}

/**
 * @param path a file, compressed if it ends with `.gz`; undefined: standard output
 * @throws {UserError} exit code 2: the file cannot be opened
 */
export async function openOutput(path: string | undefined, append: boolean): Promise<Output> {
  if (path === undefined) return outputOf(process.stdout, async () => undefined);
  const file = createWriteStream(path, { flags: append ? 'a' : 'w' });
  try {
    await once(file, 'open');
  } catch (error) {
    throw new UserError(`--out: cannot write ${path}. ${explainOutput(error, path)}`, EXIT.usage, {
      cause: error,
    });
  }
  if (!path.endsWith('.gz')) return outputOf(file, () => endStreams(file, file));
  const gzip = createGzip();
  gzip.pipe(file);
  return outputOf(gzip, () => endStreams(gzip, file), file);
}

async function endStreams(first: Writable, last: Writable): Promise<void> {
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
  const throwFailure = () => {
    if (failure) throw new UserError(`Cannot write the verdicts: ${failure.message}`);
  };
  return {
    gone: gone.signal,
    async write(text) {
      throwFailure();
      if (gone.signal.aborted || stream.write(text)) return;
      await Promise.race([once(stream, 'drain', { signal: gone.signal }).catch(() => undefined)]);
      throwFailure();
    },
    async end() {
      throwFailure();
      if (!gone.signal.aborted) await close();
    },
  };
}
