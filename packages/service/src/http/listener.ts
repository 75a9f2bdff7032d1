/**
 * Node's HTTP server with its limits set: header size and time, connections, and clients that neither send nor read.
 * Leaves out: requests, which `server.ts` takes from here.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ServeOptions } from './options.ts';

const MAX_HEADER_BYTES = 16_384;
/** Node looks for slow headers at most this often. */
const CHECK_MS = 1_000;

export interface ListenerEvents {
  /** Whether a reply is under way on a connection. */
  readonly busy: (socket: Socket) => boolean;
  readonly dropped: () => void;
}

export function createListener(
  options: ServeOptions,
  handler: RequestListener,
  { busy, dropped }: ListenerEvents,
): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: options.headerMs,
      // Bodies have a time of their own: one for all would also end a stream that is judged as it comes.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(CHECK_MS, options.headerMs),
      keepAliveTimeout: options.keepAliveMs,
      requireHostHeader: false, // ours says so in the shape of all errors
      insecureHTTPParser: false,
    },
    handler,
  );
  server.maxConnections = options.connections;
  server.on('drop', dropped);
  server.on('checkContinue', handler); // the checks come before the client is told to go on
  server.on('checkExpectation', handler);
  server.setTimeout(options.bodyMs, (socket) => {
    const reads = socket.writableLength === 0;
    if (!busy(socket) || !reads) socket.destroy();
  });
  return server;
}
