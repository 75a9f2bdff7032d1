/**
 * Access control: the Host header, which protects a loopback server against DNS rebinding, and bearer tokens. Leaves out:
 * which routes need a token.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { Problem } from './problem.ts';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** Whether only this machine can reach an address. A name other than localhost counts as reachable by others. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * The accepted Host names. Undefined accepts all names: the server listens beyond loopback and no names were configured.
 *
 * @param host address that the server listens on
 * @param allowed further names from `--allow-host`
 */
export function acceptedHosts(
  host: string,
  allowed: readonly string[],
): ReadonlySet<string> | undefined {
  if (allowed.length === 0 && !isLoopback(host)) return undefined;
  const address = isIPv6(host) ? `[${host}]` : host;
  return new Set([...LOOPBACK_NAMES, address, ...allowed].map((name) => name.toLowerCase()));
}

/** @throws {Problem} 421 for a Host that is not accepted; 400 for a missing or repeated Host header */
export function checkHost(
  { headers, rawHeaders, httpVersion }: HostFields,
  accepted: ReadonlySet<string> | undefined,
): void {
  const { host } = headers;
  const count = rawHeaders.filter(
    (name, at) => at % 2 === 0 && name.toLowerCase() === 'host',
  ).length;
  // HTTP/1.0 does not require a Host header, and browsers do not use HTTP/1.0.
  if (count > 1 || (count === 0 && httpVersion !== '1.0')) {
    throw new Problem(400, 'bad-host', `expected one Host header, got ${count}`);
  }
  if (accepted === undefined || host === undefined) return;
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  if (accepted.has(name)) return;
  throw new Problem(
    421,
    'unknown-host',
    'the Host header does not name this server; start it with --allow-host NAME to accept more names',
  );
}

/** The parts of a request that {@link checkHost} reads. */
export type HostFields = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'httpVersion'>;

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;

/** Compares bearer tokens in constant time. Stores digests, not tokens. */
export class Tokens {
  readonly #digests: readonly Buffer[];

  constructor(tokens: readonly string[]) {
    this.#digests = tokens.map(sha256);
  }

  /** Whether a token is required. */
  get required(): boolean {
    return this.#digests.length > 0;
  }

  /**
   * Checks the token of a request.
   *
   * @returns true for a valid token, false if none is required
   * @throws {Problem} 401 if a token is required and is missing or invalid
   */
  check(headers: IncomingHttpHeaders): boolean {
    if (!this.required) return false;
    const token = BEARER.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) {
      throw unauthorized('a bearer token is required: authorization: Bearer TOKEN', '');
    }
    const offered = sha256(token);
    // All tokens are compared, so that the time does not tell which one matched.
    const isKnown = this.#digests.map((known) => timingSafeEqual(known, offered)).includes(true);
    if (!isKnown) throw unauthorized('the bearer token is not valid', ', error="invalid_token"');
    return true;
  }
}

function sha256(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function unauthorized(message: string, extra: string): Problem {
  return new Problem(401, 'unauthorized', message, {
    headers: { 'www-authenticate': `Bearer realm="cipo"${extra}` },
  });
}
