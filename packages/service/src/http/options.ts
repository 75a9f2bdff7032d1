/**
 * Every setting of the server with its default, and what is refused before it starts. Leaves out: the names of flags
 * (the command's) and reading token files.
 */
import { availableParallelism } from 'node:os';
import { isLoopback } from './guard.ts';

export interface ServeOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Bearer tokens, any of which opens every route. None: no token is needed. */
  readonly tokens: readonly string[];
  /** Allows an address beyond loopback without a token. */
  readonly insecure: boolean;
  /** Further host names to answer to, for a proxy in front. */
  readonly allowHosts: readonly string[];
  /** Rows judged at once, of each kind: Python, JavaScript and TypeScript, all else. */
  readonly concurrency: number;
  /** Rows that may wait, over all requests. At least `batchRows`. */
  readonly queueRows: number;
  /** Milliseconds that a request may wait for its first row to begin. */
  readonly queueMs: number;
  /** Rows of one request that is not a stream. */
  readonly batchRows: number;
  /** Bytes of one body, or of one line of a stream. */
  readonly bodyBytes: number;
  /** Bytes of bodies in memory, over all requests. At least `bodyBytes`. */
  readonly heldBytes: number;
  readonly jsonDepth: number;
  /** Values and keys in one body or line. */
  readonly jsonValues: number;
  readonly connections: number;
  /** Requests at once that are read, wait or are judged. */
  readonly requests: number;
  /** Milliseconds for the headers of a request to come. */
  readonly headerMs: number;
  /** Milliseconds for a body, or a line of a stream, to come; and for a client to take what it is sent. */
  readonly bodyMs: number;
  /** Milliseconds that an idle connection is kept. */
  readonly keepAliveMs: number;
  /** Milliseconds that work under way is given when the server ends. */
  readonly drainMs: number;
}

const MIB = 1 << 20;

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

/** The most that a row may ask for in its `limits`: a caller must not take a sandbox for hours or all memory. */
export const CEILINGS: Readonly<Record<string, number>> = {
  cpuMs: 60_000,
  testCpuMs: 60_000,
  wallMs: 600_000,
  memoryMb: 2_048,
  outputBytes: 64 * MIB,
  sourceBytes: MIB,
};

/** A setting that cannot be served with. The message names it. */
export class ServeOptionError extends Error {
  override readonly name = 'ServeOptionError';
}

/** Shorter ones can be guessed over the network. */
const TOKEN_CHARACTERS = 16;

const AT_LEAST_ONE = [
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

/** Defaults filled in and everything checked. @throws {ServeOptionError} */
export function serveOptions(given: Partial<ServeOptions> = {}): ServeOptions {
  const options = { ...SERVE_DEFAULTS, ...defined(given) };
  for (const name of AT_LEAST_ONE) {
    if (!Number.isInteger(options[name]) || options[name] < 1)
      throw new ServeOptionError(
        `${name} must be a whole number of at least 1, received ${options[name]}`,
      );
  }
  if (options.queueRows < options.batchRows)
    throw new ServeOptionError(
      `queueRows (${options.queueRows}) must hold one batch (batchRows is ${options.batchRows})`,
    );
  if (options.heldBytes < options.bodyBytes)
    throw new ServeOptionError(
      `heldBytes (${options.heldBytes}) must hold one body (bodyBytes is ${options.bodyBytes})`,
    );
  checkAccess(options);
  return options;
}

function checkAccess({ host, tokens, insecure }: ServeOptions): void {
  for (const token of tokens) {
    if (!/^[\x21-\x7e]+$/.test(token))
      throw new ServeOptionError('a token must be printable ASCII without blanks');
    if (token.length < TOKEN_CHARACTERS)
      throw new ServeOptionError(`a token must have at least ${TOKEN_CHARACTERS} characters`);
  }
  if (isLoopback(host) || tokens.length > 0 || insecure) return;
  throw new ServeOptionError(
    `${host} can be reached from other machines, and no token is set: anybody could run programs here. Give --token-file, or --insecure if something in front of the server decides who may ask`,
  );
}

/** Without what was given as undefined, so that it does not hide a default. */
function defined(given: Partial<ServeOptions>): Partial<ServeOptions> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
