/**
 * Who may ask: the Host that a request names, against pages that rebind a name of theirs to this machine, and the
 * token that it shows. Leaves out: what each may ask for.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { Problem } from './problem.ts';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** Whether nobody but this machine can reach an address. A name other than localhost counts as reachable. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Host names that are answered; `undefined` for any, where the server is meant to be reached under other names. */
export function hostNames(
  host: string,
  allowed: readonly string[],
): ReadonlySet<string> | undefined {
  if (allowed.length === 0 && !isLoopback(host)) return undefined;
  const own = isIPv6(host) ? `[${host}]` : host;
  return new Set([...LOOPBACK_NAMES, own, ...allowed].map((name) => name.toLowerCase()));
}

/** @throws {Problem} 421 for a request that was meant for somebody else, 400 for one that does not say or says it twice */
export function checkHost(
  { headers, rawHeaders, httpVersion }: Asked,
  names: ReadonlySet<string> | undefined,
): void {
  const { host } = headers;
  const said = rawHeaders.filter(
    (name, at) => at % 2 === 0 && name.toLowerCase() === 'host',
  ).length;
  // HTTP/1.0 may leave it out, and no browser speaks that.
  if (said > 1 || (said === 0 && httpVersion !== '1.0'))
    throw new Problem(400, 'bad-host', 'a request must name one Host');
  if (names === undefined || host === undefined) return;
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  if (names.has(name)) return;
  throw new Problem(
    421,
    'unknown-host',
    'the Host of the request is none of this server (--allow-host)',
  );
}

/** The part of a request that says whom it is for. */
export type Asked = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'httpVersion'>;

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;

/** Compares tokens without telling by its time how much of one was right. Holds digests, not tokens. */
export class Tokens {
  readonly #digests: readonly Buffer[];

  constructor(tokens: readonly string[]) {
    this.#digests = tokens.map(digest);
  }

  /** Whether any token is needed. */
  get required(): boolean {
    return this.#digests.length > 0;
  }

  /** True where a right token was shown. @throws {Problem} 401 where one is needed and none or a wrong one was shown */
  check(headers: IncomingHttpHeaders): boolean {
    if (!this.required) return false;
    const shown = BEARER.exec(headers.authorization ?? '')?.[1];
    if (shown === undefined) throw unauthorised('a bearer token is needed', '');
    const offered = digest(shown);
    // Every token is compared, so that neither does the time tell which one was right.
    const right = this.#digests.map((known) => timingSafeEqual(known, offered)).includes(true);
    if (!right) throw unauthorised('the bearer token is wrong', ', error="invalid_token"');
    return true;
  }
}

const digest = (token: string): Buffer => createHash('sha256').update(token).digest();

function unauthorised(message: string, extra: string): Problem {
  return new Problem(401, 'unauthorised', message, {
    headers: { 'www-authenticate': `Bearer realm="cipo"${extra}` },
  });
}
