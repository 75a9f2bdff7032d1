/**
 * Creates Node's HTTP server with its limits: header size and time, number of connections, and clients that neither send
 * nor read. Leaves out: handling requests (`pipeline.ts`).
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ServeOptions } from './options.ts';

const MAX_HEADER_BYTES = 16_384;
/** Longest interval between two checks for slow headers. */
const MAX_CHECK_MS = 1_000;

export interface ListenerEvents {
  /** Whether a request is open on a connection. */
  readonly isBusy: (socket: Socket) => boolean;
  /** Called when a connection is closed because there are too many. */
  readonly onDrop: () => void;
}

export function createListener(
  options: ServeOptions,
  handler: RequestListener,
  { isBusy, onDrop }: ListenerEvents,
): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: options.headerMs,
      // Bodies have their own time limit. A limit on whole requests would also end a stream that is still being judged.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(MAX_CHECK_MS, options.headerMs),
      keepAliveTimeout: options.keepAliveMs,
      requireHostHeader: false, // guard.ts checks it, with an error reply in our format
      insecureHTTPParser: false,
    },
    handler,
  );
  server.maxConnections = options.connections;
  server.on('drop', onDrop);
  server.on('checkContinue', handler); // the checks run before the client is told to send its body
  server.on('checkExpectation', handler);
  server.setTimeout(options.bodyMs, (socket) => {
    const isReading = socket.writableLength === 0;
    if (!isBusy(socket) || !isReading) socket.destroy();
  });
  return server;
}
