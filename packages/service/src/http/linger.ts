/**
 * Replies to requests whose body was not read: the client has the reply at once, while the connection stays until the
 * client has stopped writing, for a reset would take the reply back. One that writes too long is cut off.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

const LINGER_BYTES = 64 << 20;
const LINGER_MS = 1_000;

/** Bodies up to this length are worth reading to the end for the sake of the connection. */
const SMALL_BYTES = 65_536;

/** Whether the rest of a body is small enough to keep the connection after it. */
export function isSmall(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return length !== undefined && Number(length) <= SMALL_BYTES;
}

/** The payload, then nothing until the body has ended. Its length must be sent as a header. */
export function lingering(request: IncomingMessage, payload: Buffer): Readable {
  return Readable.from(
    (async function* () {
      yield payload;
      if (!(await drained(request))) request.destroy();
    })(),
    { objectMode: false },
  );
}

/** Takes in what is left of a body, unseen. False where it does not end within bounds. */
export function drained(request: IncomingMessage): Promise<boolean> {
  if (request.complete || request.destroyed) return Promise.resolve(true);
  return new Promise((resolve) => {
    let left = LINGER_BYTES;
    const end = (whole: boolean) => {
      clearTimeout(timer);
      request.off('data', count);
      resolve(whole);
    };
    const timer = setTimeout(end, LINGER_MS, false);
    const count = (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) end(false);
    };
    request.on('data', count);
    request.once('end', () => end(true)).once('close', () => end(true));
    request.resume();
  });
}
