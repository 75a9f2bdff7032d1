/** Who may ask: host names and tokens. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Asked, checkHost, hostNames, isLoopback, Tokens } from './guard.ts';
import { SERVE_DEFAULTS, serveOptions } from './options.ts';

describe('the Host of a request', () => {
  const names = hostNames('127.0.0.1', ['judge.internal']);
  const asked = (...hosts: string[]): Asked => ({
    headers: hosts[0] === undefined ? {} : { host: hosts[0] },
    rawHeaders: hosts.flatMap((host) => ['Host', host]),
    httpVersion: '1.1',
  });

  test.each(['127.0.0.1:8377', 'localhost', 'LOCALHOST:1', '[::1]:8377', 'judge.internal:80'])(
    '%s is answered',
    (host) => expect(() => checkHost(asked(host), names)).not.toThrow(),
  );

  test.each([
    'evil.example',
    'evil.example:8377',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    'evil.example#localhost',
    '127.0.0.1:8377.evil.example',
    '',
    '0.0.0.0',
  ])('%s is refused', (host) => {
    expect(() => checkHost(asked(host), names)).toThrow(/none of this server/);
  });

  test('must be said once, but for HTTP/1.0, which need not', () => {
    expect(() => checkHost(asked(), names)).toThrow(/one Host/);
    expect(() => checkHost(asked('localhost', 'localhost'), names)).toThrow(/one Host/);
    expect(() => checkHost({ ...asked(), httpVersion: '1.0' }, names)).not.toThrow();
  });

  test('any is answered by a server that is meant to be reached under any', () => {
    expect(hostNames('0.0.0.0', [])).toBeUndefined();
    expect(hostNames('0.0.0.0', ['judge'])?.has('judge')).toBe(true);
  });
});

describe('tokens', () => {
  const tokens = new Tokens(['first-token-0000', 'second-token-000']);

  test.each(['Bearer first-token-0000', 'bearer second-token-000', 'Bearer   first-token-0000 '])(
    '%s opens',
    (authorization) => expect(tokens.check({ authorization })).toBe(true),
  );

  test('anything else does not', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!['first-token-0000', 'second-token-000'].includes(text.trim()));
        expect(() => tokens.check({ authorization: `Bearer ${text}` })).toThrow(/token/);
      }),
    );
    for (const authorization of ['', 'Basic Zmlyc3Q6', 'first-token-0000', 'Bearer'])
      expect(() => tokens.check({ authorization })).toThrow(/token/);
    expect(() => tokens.check({})).toThrow(/needed/);
  });

  test('without any set nobody is authorised, and nobody refused', () => {
    expect(new Tokens([]).check({ authorization: 'Bearer x' })).toBe(false);
  });
});

describe('options', () => {
  test('only addresses of this machine are loopback', () => {
    expect(['127.0.0.1', '127.8.9.1', '::1', 'localhost'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', 'example'].some(isLoopback)).toBe(
      false,
    );
  });

  test.each(['0.0.0.0', '::', '192.168.1.4', 'example.org'])(
    '%s is refused without a token, unless asked for',
    (host) => {
      expect(() => serveOptions({ host })).toThrow(/no token is set/);
      expect(serveOptions({ host, tokens: ['x'.repeat(16)] }).host).toBe(host);
      expect(serveOptions({ host, insecure: true }).host).toBe(host);
    },
  );

  test.each([
    [{ tokens: ['short'] }, /at least 16 characters/],
    [{ tokens: ['with a blank in the middle'] }, /without blanks/],
    [{ concurrency: 0 }, /concurrency must be a whole number/],
    [{ queueMs: 1.5 }, /queueMs must be a whole number/],
    [{ queueRows: 10, batchRows: 11 }, /must hold one batch/],
    [{ heldBytes: 10, bodyBytes: 11 }, /must hold one body/],
  ])('%j is refused by name', (given, words) => {
    expect(() => serveOptions(given)).toThrow(words);
  });

  test('what is given as undefined leaves the default', () => {
    expect(serveOptions({ port: undefined as never }).port).toBe(SERVE_DEFAULTS.port);
  });
});
