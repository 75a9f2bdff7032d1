/**
 * Tests with hostile requests: each gets a 4xx or its connection is closed, nothing is judged, and the server keeps
 * working. They are written as raw bytes, because no client library would send them.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, mathRow, startTestServer, type TestServer, TOKEN } from './testing/harness.ts';

const ROW = JSON.stringify(mathRow('7'));
const JSON_TYPE = 'content-type: application/json';

/** A request to /v1/verify as text. It has the length of the body unless the headers set another. */
function post(body: string, headers: readonly string[] = [JSON_TYPE]): string {
  const length = headers.some((it) => /^(content-length|transfer-encoding):/i.test(it))
    ? []
    : [`content-length: ${Buffer.byteLength(body)}`];
  const lines = ['POST /v1/verify HTTP/1.1', 'host: localhost', 'connection: close'];
  return `${[...lines, ...headers, ...length].join('\r\n')}\r\n\r\n${body}`;
}

function get(path: string, ...headers: string[]): string {
  return `${[`GET ${path} HTTP/1.1`, 'connection: close', ...headers].join('\r\n')}\r\n\r\n`;
}

let it: TestServer;
beforeAll(async () => {
  it = await startTestServer({
    ...{ bodyBytes: 100_000, heldBytes: 300_000, jsonDepth: 50, jsonValues: 5_000 },
    ...{ bodyMs: 300, headerMs: 300, keepAliveMs: 300 },
  });
  await it.server.ready;
});
afterAll(() => it[Symbol.asyncDispose]());

function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
}

/** Expects exactly one reply with this status and code, and that a valid request is judged afterwards. */
async function expectError(bytes: string | Buffer, status: number, code: string): Promise<void> {
  const text = await it.raw(bytes);
  expect(statusOf(text), text).toBe(status);
  expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ error: { code } });
  await expectWorking();
}

async function expectWorking(): Promise<void> {
  expect(await (await it.post(ROW)).json()).toMatchObject({ status: 'accepted' });
  await eventually(async () => (await it.metric('cipo_body_held_bytes')) === 0);
}

describe('bodies', () => {
  test.each<[name: string, body: string, status: number, code: string]>([
    ['an empty body', '', 400, 'empty-body'],
    ['a form', 'answer=7', 400, 'bad-json'],
    ['JSON that ends early', ROW.slice(0, -9), 400, 'bad-json'],
    ['a number', '7', 400, 'bad-request'],
    ['null', 'null', 400, 'bad-request'],
    ['rows that are not a list', '{"rows": {"0": {}}}', 400, 'bad-request'],
    ['deeply nested lists', '['.repeat(60_000), 400, 'too-deep'],
    ['deeply nested objects', `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`, 400, 'too-deep'],
    ['too many values', `[${'0,'.repeat(40_000)}0]`, 413, 'too-many-values'],
    ['too many rows', `[${Array(1_100).fill('{}')}]`, 413, 'too-many-rows'],
    ['a body that is too large', 'x'.repeat(3_000_000), 413, 'too-large'],
    ['the key __proto__', '{"__proto__": {"reward": 1}, "response": "x"}', 400, 'prototype-key'],
    [
      'a nested prototype key',
      '{"tests": {"constructor": {"prototype": {}}}}',
      400,
      'prototype-key',
    ],
  ])('a POST of %s is rejected', async (_name, body, status, code) => {
    await expectError(post(body), status, code);
    expect(Object.hasOwn(Object.prototype, 'reward')).toBe(false);
  });

  test('a body that is not UTF-8 is rejected', async () => {
    const bad = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
    const head = Buffer.from(post('', [JSON_TYPE, `content-length: ${bad.length}`]));
    await expectError(Buffer.concat([head, bad]), 400, 'bad-encoding');
  });

  test('a chunked body that is too large is rejected', async () => {
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`.repeat(8);
    await expectError(
      post(`${chunk}0\r\n\r\n`, [JSON_TYPE, 'transfer-encoding: chunked']),
      413,
      'too-large',
    );
  });

  test('a content-length of a terabyte is rejected', async () => {
    await expectError(post('', [JSON_TYPE, 'content-length: 1099511627776']), 413, 'too-large');
  });

  test('a body that never arrives gets 408', async () => {
    await expectError(post(ROW.slice(0, 9), [JSON_TYPE, 'content-length: 999']), 408, 'slow-body');
  });

  test('a body that arrives one byte at a time gets 408', async () => {
    const slow = it.open();
    slow.socket.write(post('', [JSON_TYPE, 'content-length: 99999']));
    const drip = setInterval(() => slow.socket.write(' '), 20);
    await slow.closed;
    clearInterval(drip);
    expect(statusOf(slow.text)).toBe(408);
    await expectWorking();
  });

  test('a stream with an endless or too long line ends with the error as its last line', async () => {
    const ndjson = (body: string, length: number) =>
      post(body, ['content-type: application/x-ndjson', `content-length: ${length}`]);
    const slow = await it.raw(ndjson(`${ROW}\n{"id":`, 9_999));
    expect(slow).toContain('"status":"accepted"');
    expect(slow).toContain('"slow-body"');
    const long = `${ROW}\n${'x'.repeat(200_000)}`;
    const text = await it.raw(ndjson(long, long.length));
    expect(text).toContain('"status":"accepted"');
    expect(text).toContain('"too-large"');
    await expectWorking();
  });

  test('a body beyond the memory budget of all bodies gets 429', async () => {
    // A long time limit: on a busy machine 300 ms pass before the fourth body arrives.
    await using slow = await startTestServer({
      bodyBytes: 100_000,
      heldBytes: 300_000,
      bodyMs: 60_000,
    });
    await slow.server.ready;
    const holders = Array.from({ length: 3 }, () => {
      const connection = slow.open();
      connection.socket.write(post('x'.repeat(95_000), [JSON_TYPE, 'content-length: 99000']));
      return connection;
    });
    await eventually(async () => (await slow.metric('cipo_body_held_bytes')) >= 280_000);
    expect(statusOf(await slow.raw(post('x'.repeat(50_000))))).toBe(429);
    for (const { socket } of holders) socket.destroy();
    await eventually(async () => (await slow.metric('cipo_body_held_bytes')) === 0);
    expect(await (await slow.post(ROW)).json()).toMatchObject({ status: 'accepted' });
  });
});

describe('headers', () => {
  test.each<[name: string, bytes: string, status: number, code: string]>([
    ['a missing content type', post(ROW, []), 415, 'unsupported-type'],
    [
      'text/plain, as a web page could send it',
      post(ROW, ['content-type: text/plain']),
      415,
      'unsupported-type',
    ],
    [
      'a form content type',
      post(ROW, ['content-type: application/x-www-form-urlencoded']),
      415,
      'unsupported-type',
    ],
    ['a malformed content type', post(ROW, ['content-type: ///']), 415, 'unsupported-type'],
    [
      'a charset other than UTF-8',
      post(ROW, [`${JSON_TYPE}; charset=utf-16`]),
      415,
      'unsupported-encoding',
    ],
    [
      'a compressed body',
      post(ROW, [JSON_TYPE, 'content-encoding: gzip']),
      415,
      'unsupported-encoding',
    ],
    [
      'a length that is not a number',
      post(ROW, [JSON_TYPE, 'content-length: 1e3']),
      400,
      'bad-request',
    ],
    ['a negative length', post(ROW, [JSON_TYPE, 'content-length: -5']), 400, 'bad-request'],
    [
      'two lengths',
      post(ROW, [JSON_TYPE, 'content-length: 5', 'content-length: 9']),
      400,
      'bad-request',
    ],
    [
      'a length and chunks at once',
      post('0\r\n\r\n', [JSON_TYPE, 'content-length: 5', 'transfer-encoding: chunked']),
      400,
      'bad-request',
    ],
    [
      'an unknown transfer coding',
      post(ROW, [JSON_TYPE, 'transfer-encoding: cow']),
      400,
      'bad-request',
    ],
    [
      'a malformed chunk',
      post('zz\r\n', [JSON_TYPE, 'transfer-encoding: chunked']),
      400,
      'bad-request',
    ],
    ['a missing Host', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'bad-host'],
    ['two Host headers', get('/healthz', 'host: localhost', 'host: evil.example'), 400, 'bad-host'],
    [
      'the Host of a DNS rebinding attack',
      get('/healthz', 'host: evil.example'),
      421,
      'unknown-host',
    ],
    ['a bare line feed', 'GET /healthz HTTP/1.1\nhost: localhost\n\n', 400, 'bad-request'],
    ['a header without a name', get('/healthz', 'host: localhost', ': x'), 400, 'bad-request'],
    ['a folded header', get('/healthz', 'host: localhost', 'a: b', ' c'), 400, 'bad-request'],
    [
      'headers that are too large',
      get('/healthz', 'host: localhost', `a: ${'x'.repeat(20_000)}`),
      431,
      'headers-too-large',
    ],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'bad-request'],
    ['an SSH handshake', 'SSH-2.0-OpenSSH_9.6\r\n', 400, 'bad-request'],
    ['an unknown expectation', post(ROW, [JSON_TYPE, 'expect: tea']), 417, 'bad-expectation'],
  ])('a request with %s is rejected', async (_name, bytes, status, code) => {
    await expectError(bytes, status, code);
  });

  test('endless headers get 408', async () => {
    const slow = it.open();
    slow.socket.write('GET /healthz HTTP/1.1\r\n');
    const drip = setInterval(() => slow.socket.write('a: b\r\n'), 20);
    await slow.closed;
    clearInterval(drip);
    expect(statusOf(slow.text)).toBe(408);
    await expectWorking();
  });

  test('a connection without a request is closed', async () => {
    const silent = it.open();
    await silent.closed;
    await expectWorking();
  });

  test('CONNECT and Upgrade have no effect', async () => {
    expect(
      await it.raw('CONNECT example.org:443 HTTP/1.1\r\nhost: localhost\r\n\r\n'),
    ).not.toContain('200');
    const upgrade = get('/healthz', 'host: localhost', 'upgrade: websocket').replace(
      'close',
      'upgrade, close',
    );
    expect(statusOf(await it.raw(upgrade))).toBe(200);
    await expectWorking();
  });
});

describe('paths', () => {
  test.each([
    '/../../etc/passwd',
    '/v1/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2fetc%2fpasswd',
    '/metrics%00.json',
    '/v1/verify/',
    '//v1/verify',
    '/V1/VERIFY',
    '/__proto__',
    '/constructor',
    '/toString',
    '/C:\\Windows',
    `/${'a'.repeat(9_000)}`,
    'http://evil.example/v1/verify/x',
  ])('the path %s gets 404', async (path) => {
    await expectError(get(path, 'host: localhost'), 404, 'no-such-path');
  });

  test('a malformed path gets 400, and a wrong method gets 405', async () => {
    await expectError(get('/%zz', 'host: localhost'), 400, 'bad-path');
    await expectError(get('/v1/verify', 'host: localhost'), 405, 'bad-method');
    await expectError(
      get('/healthz', 'host: localhost').replace('GET', 'DELETE'),
      405,
      'bad-method',
    );
  });

  test('a path cannot write control characters to the log', async () => {
    await it.raw(get('/\x9b31m-\x1b[2J', 'host: localhost'));
    await it.raw(get('/%1b%5b2J%0aforged', 'host: localhost'));
    const forged = it.logged.filter(({ path }) => /\p{Cc}/u.test(String(path)));
    expect(forged).toEqual([]);
  });
});

describe('pipelined requests', () => {
  const valid = post(ROW).replace('connection: close\r\n', '');

  test('pipelined requests get replies in their order', async () => {
    const incorrect = post(JSON.stringify(mathRow('7', '8')));
    const text = await it.raw(valid + valid + incorrect);
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
    expect(text).toMatch(/accepted.*accepted.*wrong_answer/s);
  });

  test('a request inside the body of another is not handled', async () => {
    const text = await it.raw(post(get('/metrics', 'host: localhost')));
    expect(text.match(/^HTTP\/1\.1 \d/gm)).toHaveLength(1);
    expect(statusOf(text)).toBe(400);
  });

  test('a rejected body is not parsed as the next request', async () => {
    const head = post('', ['content-type: text/plain', 'content-length: 70']);
    const hidden = get('/metrics', 'host: localhost').padEnd(70);
    const text = await it.raw(
      head.replace('connection: close\r\n', '') + hidden + get('/healthz', 'host: localhost'),
    );
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 415', 'HTTP/1.1 200']);
    expect(text).not.toContain('cipo_');
  });

  test('requests beyond the maximum per connection get 429', async () => {
    await using held = await startTestServer({ concurrency: 1 });
    const row = JSON.stringify({ id: 'a', domain: 'held', response: 'correct' });
    const one = post(row).replace('connection: close\r\n', '');
    const flood = held.open();
    flood.socket.write(one.repeat(60));
    await eventually(() => held.held.waiting === 1);
    const freeing = setInterval(() => held.held.release(), 1);
    await eventually(() => (flood.text.match(/HTTP\/1\.1/g) ?? []).length === 60);
    clearInterval(freeing);
    flood.socket.destroy();
    const statuses = flood.text.match(/(?<=HTTP\/1\.1 )\d+/g) ?? [];
    expect(new Set(statuses)).toEqual(new Set(['200', '429']));
    expect(statuses.filter((status) => status === '200').length).toBeLessThanOrEqual(33);
  });

  test('a client that disconnects frees its waiting requests', async () => {
    await using held = await startTestServer({ concurrency: 1 });
    const row = JSON.stringify({ id: 'a', domain: 'held', response: 'correct' });
    const flood = held.open();
    flood.socket.write(post(row).replace('connection: close\r\n', '').repeat(20));
    await eventually(async () => (await held.metric('cipo_http_requests_open')) === 20);
    flood.socket.destroy();
    await eventually(async () => (await held.metric('cipo_http_requests_open')) === 0);
    expect(await held.metric('cipo_rows_waiting')).toBe(0);
    expect(await held.metric('cipo_rows_running')).toBe(0);
  });
});

test('a client that does not read its reply is disconnected', async () => {
  await using big = await startTestServer({ bodyMs: 200, batchRows: 4_000, queueRows: 4_000 });
  // Replies of several megabytes exceed the buffers of a connection.
  const rows = JSON.stringify(
    Array(4_000).fill({ id: 'x'.repeat(1_500), response: 'x', domain: 'none' }),
  );
  const nonReading = big.open();
  nonReading.socket.pause();
  nonReading.socket.write(post(rows));
  await eventually(
    async () => (await big.metric('cipo_verdicts_total{status="bad_task"}')) === 4_000,
  );
  await eventually(async () => (await big.metric('cipo_http_requests_open')) === 0);
  nonReading.socket.destroy();
});

test('connections beyond the maximum are closed, and closed ones free their places', async () => {
  await using few = await startTestServer({ connections: 3, headerMs: 300 });
  const held = Array.from({ length: 6 }, () => few.open());
  await Promise.all(held.map(({ closed }) => closed));
  expect((await few.post(ROW)).status).toBe(200);
  expect(await few.metric('cipo_connections_dropped_total')).toBeGreaterThanOrEqual(3);
});

test('invalid tokens get 401 in any form, and no token is logged', async () => {
  await using secured = await startTestServer({ tokens: [TOKEN] });
  const values = [
    'Bearer',
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Basic ${TOKEN}`,
    TOKEN,
  ];
  for (const value of [...values, `Bearer ${TOKEN.toUpperCase()}`, `Bearer ${'x'.repeat(9_000)}`]) {
    const text = await secured.raw(post(ROW, [JSON_TYPE, `authorization: ${value}`]));
    expect(statusOf(text), value).toBe(401);
    expect(text).not.toContain(TOKEN);
  }
  const twice = [
    JSON_TYPE,
    'authorization: Bearer wrong-wrong-wrong',
    `authorization: Bearer ${TOKEN}`,
  ];
  expect(statusOf(await secured.raw(post(ROW, twice)))).toBe(401);
  expect(
    statusOf(await secured.raw(post(ROW, [JSON_TYPE, `authorization: Bearer ${TOKEN}`]))),
  ).toBe(200);
  expect(JSON.stringify(secured.logged)).not.toContain(TOKEN);
});
