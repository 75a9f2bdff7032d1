/**
 * Replies to requests whose body was not read. The reply is sent at once, and the connection stays open until the client
 * stops writing: closing it earlier resets the socket and loses the reply. A client that writes for too long is cut off.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

const MAX_DISCARDED_BYTES = 64 << 20;
const LINGER_MS = 1_000;

/** Bodies up to this size are read to the end to keep the connection. */
const MAX_SMALL_BYTES = 65_536;

/** Whether the rest of a body is small enough to read it and keep the connection. */
export function isSmall(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return length !== undefined && Number(length) <= MAX_SMALL_BYTES;
}

/** A stream that sends the payload and ends when the body has ended. The caller must set the content-length header. */
export function lingeringReply(request: IncomingMessage, payload: Buffer): Readable {
  return Readable.from(
    (async function* () {
      yield payload;
      if (!(await discardBody(request))) request.destroy();
    })(),
    { objectMode: false },
  );
}

/** Reads and discards the rest of a body. @returns false if it does not end within the limits on bytes and time */
export function discardBody(request: IncomingMessage): Promise<boolean> {
  if (request.complete || request.destroyed) return Promise.resolve(true);
  return new Promise((resolve) => {
    let remainingBytes = MAX_DISCARDED_BYTES;
    const end = (isComplete: boolean) => {
      clearTimeout(timer);
      request.off('data', count);
      resolve(isComplete);
    };
    const timer = setTimeout(end, LINGER_MS, false);
    const count = (chunk: Buffer) => {
      remainingBytes -= chunk.length;
      if (remainingBytes < 0) end(false);
    };
    request.on('data', count);
    request.once('end', () => end(true)).once('close', () => end(true));
    request.resume();
  });
}
