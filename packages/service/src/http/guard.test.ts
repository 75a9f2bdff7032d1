/** Tests of access control: Host names, tokens, and the options about them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acceptedHosts, checkHost, type HostFields, isLoopback, Tokens } from './guard.ts';
import { SERVE_DEFAULTS, serveOptions } from './options.ts';

describe('Host header', () => {
  const names = acceptedHosts('127.0.0.1', ['judge.internal']);
  const request = (...hosts: string[]): HostFields => ({
    headers: hosts[0] === undefined ? {} : { host: hosts[0] },
    rawHeaders: hosts.flatMap((host) => ['Host', host]),
    httpVersion: '1.1',
  });

  test.each(['127.0.0.1:8377', 'localhost', 'LOCALHOST:1', '[::1]:8377', 'judge.internal:80'])(
    'the Host %s is accepted',
    (host) => expect(() => checkHost(request(host), names)).not.toThrow(),
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
  ])('the Host %j is rejected', (host) => {
    expect(() => checkHost(request(host), names)).toThrow(/does not name this server/);
  });

  test('a request must have one Host header, which HTTP/1.0 may omit', () => {
    expect(() => checkHost(request(), names)).toThrow(/one Host/);
    expect(() => checkHost(request('localhost', 'localhost'), names)).toThrow(/one Host/);
    expect(() => checkHost({ ...request(), httpVersion: '1.0' }, names)).not.toThrow();
  });

  test('a server beyond loopback accepts any Host unless names are configured', () => {
    expect(acceptedHosts('0.0.0.0', [])).toBeUndefined();
    expect(acceptedHosts('0.0.0.0', ['judge'])?.has('judge')).toBe(true);
  });
});

describe('tokens', () => {
  const tokens = new Tokens(['first-token-0000', 'second-token-000']);

  test.each(['Bearer first-token-0000', 'bearer second-token-000', 'Bearer   first-token-0000 '])(
    'the header %j is accepted',
    (authorization) => expect(tokens.check({ authorization })).toBe(true),
  );

  test('any other authorization header is rejected', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!['first-token-0000', 'second-token-000'].includes(text.trim()));
        expect(() => tokens.check({ authorization: `Bearer ${text}` })).toThrow(/token/);
      }),
    );
    for (const authorization of ['', 'Basic Zmlyc3Q6', 'first-token-0000', 'Bearer']) {
      expect(() => tokens.check({ authorization })).toThrow(/token/);
    }
    expect(() => tokens.check({})).toThrow(/required/);
  });

  test('without configured tokens no caller is authorized and none is rejected', () => {
    expect(new Tokens([]).check({ authorization: 'Bearer x' })).toBe(false);
  });
});

describe('options', () => {
  test('only addresses of this machine count as loopback', () => {
    expect(['127.0.0.1', '127.8.9.1', '::1', 'localhost'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', 'example'].some(isLoopback)).toBe(
      false,
    );
  });

  test.each(['0.0.0.0', '::', '192.168.1.4', 'example.org'])(
    'listening on %s requires a token or insecure',
    (host) => {
      expect(() => serveOptions({ host })).toThrow(/no token is set/);
      expect(serveOptions({ host, tokens: ['x'.repeat(16)] }).host).toBe(host);
      expect(serveOptions({ host, insecure: true }).host).toBe(host);
    },
  );

  test.each([
    [{ tokens: ['short'] }, /at least 16 characters/],
    [{ tokens: ['with a space in the middle'] }, /without spaces/],
    [{ concurrency: 0 }, /concurrency: expected an integer/],
    [{ queueMs: 1.5 }, /queueMs: expected an integer/],
    [{ queueRows: 10, batchRows: 11 }, /queueRows: expected at least batchRows/],
    [{ heldBytes: 10, bodyBytes: 11 }, /heldBytes: expected at least bodyBytes/],
  ])('the options %j are rejected with the name of the option', (given, words) => {
    expect(() => serveOptions(given)).toThrow(words);
  });

  test('an option that is undefined keeps its default', () => {
    expect(serveOptions({ port: undefined as never }).port).toBe(SERVE_DEFAULTS.port);
  });
});
