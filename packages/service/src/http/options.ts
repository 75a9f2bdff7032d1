/**
 * The options of the server, their defaults and their checks. Leaves out: names of command line flags, reading token files.
 */
import { availableParallelism } from 'node:os';
import { MIB } from '@cipo/support';
import { isLoopback } from './guard.ts';

/** Options of {@link serve}. Every limit is an integer of at least 1. */
export interface ServeOptions {
  /** Address to listen on. An address beyond loopback requires `tokens` or `insecure`. */
  readonly host: string;
  /** Port to listen on; 0 chooses a free one. */
  readonly port: number;
  /** Accepted bearer tokens. Empty: no token is required. */
  readonly tokens: readonly string[];
  /** Permits an address beyond loopback without a token. */
  readonly insecure: boolean;
  /** Further accepted Host names, for a proxy in front of the server. */
  readonly allowHosts: readonly string[];
  /** Maximum rows judged at once of each kind: Python; JavaScript and TypeScript; all others. */
  readonly concurrency: number;
  /** Maximum rows that wait, over all requests. At least `batchRows`. */
  readonly queueRows: number;
  /** Maximum milliseconds that a request waits for its first row to start. */
  readonly queueMs: number;
  /** Maximum rows of one request that is not a stream. */
  readonly batchRows: number;
  /** Maximum bytes of one body, or of one line of a stream. */
  readonly bodyBytes: number;
  /** Maximum bytes of request bodies in memory, over all requests. At least `bodyBytes`. */
  readonly heldBytes: number;
  /** Maximum nesting of JSON. */
  readonly jsonDepth: number;
  /** Maximum values and keys in one body or line. */
  readonly jsonValues: number;
  /** Maximum open connections. */
  readonly connections: number;
  /** Maximum requests in progress: read, waiting or judged. */
  readonly requests: number;
  /** Maximum milliseconds in which the headers of a request must arrive. */
  readonly headerMs: number;
  /** Maximum milliseconds in which a body, or a line of a stream, must arrive, and in which a client must read its reply. */
  readonly bodyMs: number;
  /** Milliseconds after which an idle connection is closed. */
  readonly keepAliveMs: number;
  /** Milliseconds that requests in progress may take when the server shuts down. */
  readonly drainMs: number;
}

/** Default options of {@link serve}. */
export const SERVE_DEFAULTS: ServeOptions = {
  host: '127.0.0.1',
  port: 8377,
  tokens: [],
  insecure: false,
  allowHosts: [],
  concurrency: availableParallelism() * 2,
  queueRows: 4096,
  queueMs: 60_000,
  batchRows: 1024,
  bodyBytes: 16 * MIB,
  heldBytes: 256 * MIB,
  jsonDepth: 128,
  jsonValues: 1_000_000,
  connections: 4096,
  requests: 2048,
  headerMs: 10_000,
  bodyMs: 30_000,
  keepAliveMs: 30_000,
  drainMs: 30_000,
};

/** Upper bounds on the `limits` of a row: a caller must not occupy a sandbox for hours or use all memory. */
export const CEILINGS: Readonly<Record<string, number>> = {
  cpuMs: 60_000,
  testCpuMs: 60_000,
  wallMs: 600_000,
  memoryMb: 2_048,
  outputChars: 64 * 2 ** 20,
  sourceChars: 2 ** 20,
};

/** An option that is not valid. The message names it. */
export class ServeOptionError extends Error {
  override readonly name = 'ServeOptionError';
}

/** Shorter tokens can be guessed over the network. */
const MIN_TOKEN_CHARS = 16;

const POSITIVE_INTEGERS = [
  'concurrency',
  'queueRows',
  'queueMs',
  'batchRows',
  'bodyBytes',
  'jsonDepth',
  'jsonValues',
  'connections',
  'requests',
  'headerMs',
  'bodyMs',
  'keepAliveMs',
  'drainMs',
] as const;

/** Adds the defaults and checks all options. @throws {ServeOptionError} if an option is not valid */
export function serveOptions(given: Partial<ServeOptions> = {}): ServeOptions {
  const options = { ...SERVE_DEFAULTS, ...removeUndefined(given) };
  for (const name of POSITIVE_INTEGERS) {
    if (!Number.isInteger(options[name]) || options[name] < 1) {
      throw new ServeOptionError(
        `${name}: expected an integer of at least 1, got ${options[name]}`,
      );
    }
  }
  if (options.queueRows < options.batchRows) {
    throw new ServeOptionError(
      `queueRows: expected at least batchRows (${options.batchRows}), got ${options.queueRows}`,
    );
  }
  if (options.heldBytes < options.bodyBytes) {
    throw new ServeOptionError(
      `heldBytes: expected at least bodyBytes (${options.bodyBytes}), got ${options.heldBytes}`,
    );
  }
  checkAccess(options);
  return options;
}

function checkAccess({ host, tokens, insecure }: ServeOptions): void {
  for (const token of tokens) {
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new ServeOptionError('a token must be printable ASCII without spaces');
    }
    if (token.length < MIN_TOKEN_CHARS) {
      throw new ServeOptionError(`a token must have at least ${MIN_TOKEN_CHARS} characters`);
    }
  }
  if (isLoopback(host) || tokens.length > 0 || insecure) return;
  throw new ServeOptionError(
    `${host} is reachable from other machines and no token is set: anyone could run programs on this machine. Set a token with --token-file or CIPO_TOKEN, or pass --insecure if a proxy in front of the server controls access`,
  );
}

/** Removes options that are undefined, so that they do not override a default. */
function removeUndefined(given: Partial<ServeOptions>): Partial<ServeOptions> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
