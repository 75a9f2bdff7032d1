/**
 * Requests that nobody means well with: each is answered by a clear 4xx or its connection ends, nothing is judged, and
 * the server goes on as if nothing had been. Bytes are written as they stand, for no client library would send them.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, bench, eventually, mathRow, TOKEN } from './testing/harness.ts';

const ROW = JSON.stringify(mathRow('7'));
const JSON_TYPE = 'content-type: application/json';

/** A request to /v1/verify as text; the length fits the body unless headers say otherwise. */
function post(body: string, headers: readonly string[] = [JSON_TYPE]): string {
  const length = headers.some((it) => /^(content-length|transfer-encoding):/i.test(it))
    ? []
    : [`content-length: ${Buffer.byteLength(body)}`];
  const lines = ['POST /v1/verify HTTP/1.1', 'host: localhost', 'connection: close'];
  return `${[...lines, ...headers, ...length].join('\r\n')}\r\n\r\n${body}`;
}

const get = (path: string, ...headers: string[]) =>
  `${[`GET ${path} HTTP/1.1`, 'connection: close', ...headers].join('\r\n')}\r\n\r\n`;

let it: Bench;
beforeAll(async () => {
  it = await bench({
    ...{ bodyBytes: 100_000, heldBytes: 300_000, jsonDepth: 50, jsonValues: 5_000 },
    ...{ bodyMs: 300, headerMs: 300, keepAliveMs: 300 },
  });
  await it.server.ready;
});
afterAll(() => it[Symbol.asyncDispose]());

const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);

/** Exactly one reply: this status, this code, our JSON; and afterwards a good request is judged. */
async function isRefused(bytes: string | Buffer, status: number, code: string): Promise<void> {
  const text = await it.raw(bytes);
  expect(statusOf(text), text).toBe(status);
  expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ error: { code } });
  await goesOn();
}

async function goesOn(): Promise<void> {
  expect(await (await it.post(ROW)).json()).toMatchObject({ status: 'accepted' });
  await eventually(async () => (await it.metric('cipo_body_held_bytes')) === 0);
}

describe('bodies', () => {
  test.each<[name: string, body: string, status: number, code: string]>([
    ['nothing', '', 400, 'empty-body'],
    ['no JSON', 'answer=7', 400, 'bad-json'],
    ['JSON that ends early', ROW.slice(0, -9), 400, 'bad-json'],
    ['a number', '7', 400, 'bad-request'],
    ['null', 'null', 400, 'bad-request'],
    ['rows that are no list', '{"rows": {"0": {}}}', 400, 'bad-request'],
    ['deep lists', '['.repeat(60_000), 400, 'too-deep'],
    ['deep objects', `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`, 400, 'too-deep'],
    ['very many values', `[${'0,'.repeat(40_000)}0]`, 413, 'too-many-values'],
    ['very many rows', `[${Array(1_100).fill('{}')}]`, 413, 'too-many-rows'],
    ['a huge one', 'x'.repeat(3_000_000), 413, 'too-large'],
    ['__proto__', '{"__proto__": {"reward": 1}, "response": "x"}', 400, 'prototype-key'],
    ['a prototype within', '{"tests": {"constructor": {"prototype": {}}}}', 400, 'prototype-key'],
  ])('%s', async (_name, body, status, code) => {
    await isRefused(post(body), status, code);
    expect(Object.hasOwn(Object.prototype, 'reward')).toBe(false);
  });

  test('bytes that are no UTF-8', async () => {
    const bad = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
    const head = Buffer.from(post('', [JSON_TYPE, `content-length: ${bad.length}`]));
    await isRefused(Buffer.concat([head, bad]), 400, 'bad-encoding');
  });

  test('a huge one in chunks, whose length nobody announced', async () => {
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`.repeat(8);
    await isRefused(
      post(`${chunk}0\r\n\r\n`, [JSON_TYPE, 'transfer-encoding: chunked']),
      413,
      'too-large',
    );
  });

  test('one that announces a terabyte', async () => {
    await isRefused(post('', [JSON_TYPE, 'content-length: 1099511627776']), 413, 'too-large');
  });

  test('one that does not come', async () => {
    await isRefused(post(ROW.slice(0, 9), [JSON_TYPE, 'content-length: 999']), 408, 'slow-body');
  });

  test('one that comes a byte at a time', async () => {
    const slow = it.open();
    slow.socket.write(post('', [JSON_TYPE, 'content-length: 99999']));
    const drip = setInterval(() => slow.socket.write(' '), 20);
    await slow.closed;
    clearInterval(drip);
    expect(statusOf(slow.text)).toBe(408);
    await goesOn();
  });

  test('a stream whose line never ends, or is too long: said in its last line', async () => {
    const ndjson = (body: string, length: number) =>
      post(body, ['content-type: application/x-ndjson', `content-length: ${length}`]);
    const slow = await it.raw(ndjson(`${ROW}\n{"id":`, 9_999));
    expect(slow).toContain('"status":"accepted"');
    expect(slow).toContain('"slow-body"');
    const long = `${ROW}\n${'x'.repeat(200_000)}`;
    const text = await it.raw(ndjson(long, long.length));
    expect(text).toContain('"status":"accepted"');
    expect(text).toContain('"too-large"');
    await goesOn();
  });

  test('more at once than there is room for', async () => {
    // Bodies that may take their time: on a busy machine 300 ms are over before the fourth one comes.
    await using patient = await bench({ bodyBytes: 100_000, heldBytes: 300_000, bodyMs: 60_000 });
    await patient.server.ready;
    const holders = Array.from({ length: 3 }, () => {
      const connection = patient.open();
      connection.socket.write(post('x'.repeat(95_000), [JSON_TYPE, 'content-length: 99000']));
      return connection;
    });
    await eventually(async () => (await patient.metric('cipo_body_held_bytes')) >= 280_000);
    expect(statusOf(await patient.raw(post('x'.repeat(50_000))))).toBe(429);
    for (const { socket } of holders) socket.destroy();
    await eventually(async () => (await patient.metric('cipo_body_held_bytes')) === 0);
    expect(await (await patient.post(ROW)).json()).toMatchObject({ status: 'accepted' });
  });
});

describe('headers', () => {
  test.each<[name: string, bytes: string, status: number, code: string]>([
    ['no content type', post(ROW, []), 415, 'unsupported-type'],
    [
      'text, as a web page could send it',
      post(ROW, ['content-type: text/plain']),
      415,
      'unsupported-type',
    ],
    [
      'a form',
      post(ROW, ['content-type: application/x-www-form-urlencoded']),
      415,
      'unsupported-type',
    ],
    ['a type that is none', post(ROW, ['content-type: ///']), 415, 'unsupported-type'],
    ['another charset', post(ROW, [`${JSON_TYPE}; charset=utf-16`]), 415, 'unsupported-encoding'],
    [
      'a packed body',
      post(ROW, [JSON_TYPE, 'content-encoding: gzip']),
      415,
      'unsupported-encoding',
    ],
    [
      'a length that is no number',
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
      'a length and chunks',
      post('0\r\n\r\n', [JSON_TYPE, 'content-length: 5', 'transfer-encoding: chunked']),
      400,
      'bad-request',
    ],
    ['a coding that is none', post(ROW, [JSON_TYPE, 'transfer-encoding: cow']), 400, 'bad-request'],
    [
      'a chunk that is none',
      post('zz\r\n', [JSON_TYPE, 'transfer-encoding: chunked']),
      400,
      'bad-request',
    ],
    ['no Host', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'bad-host'],
    ['two of them', get('/healthz', 'host: localhost', 'host: evil.example'), 400, 'bad-host'],
    ['the Host of a rebound name', get('/healthz', 'host: evil.example'), 421, 'unknown-host'],
    ['a bare line feed', 'GET /healthz HTTP/1.1\nhost: localhost\n\n', 400, 'bad-request'],
    ['a header without a name', get('/healthz', 'host: localhost', ': x'), 400, 'bad-request'],
    ['a folded header', get('/healthz', 'host: localhost', 'a: b', ' c'), 400, 'bad-request'],
    [
      'very large headers',
      get('/healthz', 'host: localhost', `a: ${'x'.repeat(20_000)}`),
      431,
      'headers-too-large',
    ],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'bad-request'],
    ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n', 400, 'bad-request'],
    ['an expectation that is none', post(ROW, [JSON_TYPE, 'expect: tea']), 417, 'bad-expectation'],
  ])('%s', async (_name, bytes, status, code) => {
    await isRefused(bytes, status, code);
  });

  test('headers that never end', async () => {
    const slow = it.open();
    slow.socket.write('GET /healthz HTTP/1.1\r\n');
    const drip = setInterval(() => slow.socket.write('a: b\r\n'), 20);
    await slow.closed;
    clearInterval(drip);
    expect(statusOf(slow.text)).toBe(408);
    await goesOn();
  });

  test('a connection on which nothing is ever said is ended', async () => {
    const silent = it.open();
    await silent.closed;
    await goesOn();
  });

  test('CONNECT and Upgrade lead nowhere', async () => {
    expect(
      await it.raw('CONNECT example.org:443 HTTP/1.1\r\nhost: localhost\r\n\r\n'),
    ).not.toContain('200');
    const upgrade = get('/healthz', 'host: localhost', 'upgrade: websocket').replace(
      'close',
      'upgrade, close',
    );
    expect(statusOf(await it.raw(upgrade))).toBe(200);
    await goesOn();
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
  ])('%s', async (path) => {
    await isRefused(get(path, 'host: localhost'), 404, 'no-such-path');
  });

  test('one that cannot be read, and methods that a path does not have', async () => {
    await isRefused(get('/%zz', 'host: localhost'), 400, 'bad-path');
    await isRefused(get('/v1/verify', 'host: localhost'), 405, 'bad-method');
    await isRefused(get('/healthz', 'host: localhost').replace('GET', 'DELETE'), 405, 'bad-method');
  });

  test('what stands in a path cannot write the log', async () => {
    await it.raw(get('/\x9b31m-\x1b[2J', 'host: localhost'));
    await it.raw(get('/%1b%5b2J%0aforged', 'host: localhost'));
    const forged = it.logged.filter(({ path }) => /\p{Cc}/u.test(String(path)));
    expect(forged).toEqual([]);
  });
});

describe('several requests on one connection', () => {
  const good = post(ROW).replace('connection: close\r\n', '');

  test('sent at once, are answered in their order', async () => {
    const wrong = post(JSON.stringify(mathRow('7', '8')));
    const text = await it.raw(good + good + wrong);
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
    expect(text).toMatch(/accepted.*accepted.*wrong_answer/s);
  });

  test('a second one hidden in the body of the first stays a body', async () => {
    const text = await it.raw(post(get('/metrics', 'host: localhost')));
    expect(text.match(/^HTTP\/1\.1 \d/gm)).toHaveLength(1);
    expect(statusOf(text)).toBe(400);
  });

  test('a refused body is not read as the next request', async () => {
    const head = post('', ['content-type: text/plain', 'content-length: 70']);
    const hidden = get('/metrics', 'host: localhost').padEnd(70);
    const text = await it.raw(
      head.replace('connection: close\r\n', '') + hidden + get('/healthz', 'host: localhost'),
    );
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 415', 'HTTP/1.1 200']);
    expect(text).not.toContain('cipo_');
  });

  test('a flood of them is refused beyond what one connection may have', async () => {
    await using held = await bench({ concurrency: 1 });
    const row = JSON.stringify({ id: 'a', domain: 'held', response: 'right' });
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

  test('a client that leaves while its requests wait leaves nothing behind', async () => {
    await using held = await bench({ concurrency: 1 });
    const row = JSON.stringify({ id: 'a', domain: 'held', response: 'right' });
    const flood = held.open();
    flood.socket.write(post(row).replace('connection: close\r\n', '').repeat(20));
    await eventually(async () => (await held.metric('cipo_http_requests_open')) === 20);
    flood.socket.destroy();
    await eventually(async () => (await held.metric('cipo_http_requests_open')) === 0);
    expect(await held.metric('cipo_rows_waiting')).toBe(0);
    expect(await held.metric('cipo_rows_running')).toBe(0);
  });
});

test('a client that does not read its reply does not hold the server', async () => {
  await using big = await bench({ bodyMs: 200, batchRows: 4_000, queueRows: 4_000 });
  // Replies of some megabytes, more than the buffers of a connection take.
  const rows = JSON.stringify(
    Array(4_000).fill({ id: 'x'.repeat(1_500), response: 'x', domain: 'none' }),
  );
  const deaf = big.open();
  deaf.socket.pause();
  deaf.socket.write(post(rows));
  await eventually(
    async () => (await big.metric('cipo_verdicts_total{status="bad_task"}')) === 4_000,
  );
  await eventually(async () => (await big.metric('cipo_http_requests_open')) === 0);
  deaf.socket.destroy();
});

test('connections beyond their number are closed, and places come free again', async () => {
  await using few = await bench({ connections: 3, headerMs: 300 });
  const held = Array.from({ length: 6 }, () => few.open());
  await Promise.all(held.map(({ closed }) => closed));
  expect((await few.post(ROW)).status).toBe(200);
  expect(await few.metric('cipo_connections_dropped_total')).toBeGreaterThanOrEqual(3);
});

test('tokens that are wrong, in any shape', async () => {
  await using guarded = await bench({ tokens: [TOKEN] });
  const values = [
    'Bearer',
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Basic ${TOKEN}`,
    TOKEN,
  ];
  for (const value of [...values, `Bearer ${TOKEN.toUpperCase()}`, `Bearer ${'x'.repeat(9_000)}`]) {
    const text = await guarded.raw(post(ROW, [JSON_TYPE, `authorization: ${value}`]));
    expect(statusOf(text), value).toBe(401);
    expect(text).not.toContain(TOKEN);
  }
  const twice = [
    JSON_TYPE,
    'authorization: Bearer wrong-wrong-wrong',
    `authorization: Bearer ${TOKEN}`,
  ];
  expect(statusOf(await guarded.raw(post(ROW, twice)))).toBe(401);
  expect(
    statusOf(await guarded.raw(post(ROW, [JSON_TYPE, `authorization: Bearer ${TOKEN}`]))),
  ).toBe(200);
  expect(JSON.stringify(guarded.logged)).not.toContain(TOKEN);
});
