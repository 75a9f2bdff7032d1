/** The server over a real judge: shapes, what a caller may see, back-pressure, what is counted and logged. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RowVerdict } from '../judge.ts';
import { Problem } from './problem.ts';
import type { Route } from './route.ts';
import { type Bench, bench, eventually, heldRow, mathRow, TOKEN } from './testing/harness.ts';

const RIGHT = mathRow('1/2', '0.5');
const WRONG = mathRow('1/2', '0.6');
const NDJSON = { 'content-type': 'application/x-ndjson' };

const outcome = ({ id, status, passed, reward }: RowVerdict) => ({ id, status, passed, reward });
const ACCEPTED = { id: RIGHT.id, status: 'accepted', passed: true, reward: 1 };
const REFUSED = { id: WRONG.id, status: 'wrong_answer', passed: false, reward: 0 };

describe('POST /v1/verify', () => {
  let it: Bench;
  beforeAll(async () => {
    it = await bench();
  });
  afterAll(() => it[Symbol.asyncDispose]());

  test('one row in, one verdict out', async () => {
    const reply = await it.post(RIGHT);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const verdict = (await reply.json()) as RowVerdict;
    expect(outcome(verdict)).toEqual(ACCEPTED);
    expect(Object.keys(verdict)).toEqual([
      ...['id', 'status', 'passed', 'reward', 'diagnostics', 'cpuMs', 'wallMs'],
    ]);
  });

  test('a list in, a list out, in its order', async () => {
    const verdicts = (await (await it.post([WRONG, RIGHT, WRONG])).json()) as RowVerdict[];
    expect(verdicts.map(outcome)).toEqual([REFUSED, ACCEPTED, REFUSED]);
    expect(await (await it.post([])).json()).toEqual([]);
  });

  test('rows under a key in, verdicts under the same key out', async () => {
    const { rows } = (await (await it.post({ rows: [RIGHT, WRONG] })).json()) as {
      rows: RowVerdict[];
    };
    expect(rows.map(outcome)).toEqual([ACCEPTED, REFUSED]);
  });

  test('a row that cannot be read is a verdict of its own, and says why', async () => {
    const bad = { id: 'no answer', domain: 'math', response: '1' };
    const verdicts = (await (await it.post([RIGHT, bad, 7, null])).json()) as RowVerdict[];
    expect(verdicts.map(({ status, reward }) => [status, reward])).toEqual([
      ['accepted', 1],
      ...Array(3).fill(['bad_task', null]),
    ]);
    expect(verdicts[1]).toMatchObject({
      id: 'no answer',
      diagnostics: [{ code: 'bad-task', details: { field: 'answer' } }],
    });
  });

  test('a whole number beyond the reach of a double is judged to its last digit', async () => {
    const row = (said: string) =>
      `{"answer": 12345678901234567891, "response": "It is \\\\boxed{${said}}."}`;
    const body = `[${row('12345678901234567891')}, ${row('12345678901234567000')}]`;
    expect(await (await it.post(body)).json()).toMatchObject([{ reward: 1 }, { reward: 0 }]);
    const lines = `${row('12345678901234567891')}\n`;
    expect(await (await it.post(lines, NDJSON)).json()).toMatchObject({ reward: 1 });
  });

  test('a row that asks for more than the ceilings is not judged', async () => {
    const row = { ...RIGHT, limits: { cpuMs: 1e9 } };
    expect(await (await it.post(row)).json()).toMatchObject({
      ...{ id: RIGHT.id, status: 'bad_task', passed: null, reward: null },
      diagnostics: [{ details: { field: 'limits.cpuMs', received: '1000000000' } }],
    });
  });

  test('NDJSON in, NDJSON out; a line that cannot be read does not take the others along', async () => {
    const lines = [JSON.stringify(RIGHT), '{"id": ', '', JSON.stringify(WRONG)].join('\r\n');
    const reply = await it.post(lines, NDJSON);
    expect(reply.headers.get('content-type')).toBe('application/x-ndjson');
    const text = await reply.text();
    const verdicts = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RowVerdict);
    expect(verdicts.map(({ status }) => status)).toEqual(['accepted', 'bad_task', 'wrong_answer']);
    expect(verdicts[1]?.diagnostics[0]).toMatchObject({ details: { field: 'line 2' } });
  });

  test('a stream is answered while it is still being sent', async () => {
    const { readable, writable } = new TransformStream<Uint8Array>();
    const writer = writable.getWriter();
    const send = (row: unknown) => writer.write(Buffer.from(`${JSON.stringify(row)}\n`));
    const first = send(RIGHT);
    const reply = await fetch(`${it.server.url}/v1/verify`, {
      ...{ method: 'POST', headers: NDJSON, body: readable, duplex: 'half' },
    } as RequestInit);
    await first;
    const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect(JSON.parse((await reader.read()).value ?? '')).toMatchObject(ACCEPTED);
    void send(WRONG);
    expect(JSON.parse((await reader.read()).value ?? '')).toMatchObject(REFUSED);
    await writer.close();
    expect((await reader.read()).done).toBe(true);
  });

  test('a slow row of a stream holds up its verdict, not the judging of those after it', async () => {
    await using slow = await bench({ concurrency: 2 });
    const rows = [heldRow('right', 'slow'), ...Array.from({ length: 40 }, () => RIGHT)];
    const text = rows.map((row) => JSON.stringify(row)).join('\n');
    const pending = slow.post(text, NDJSON).then((reply) => reply.text());
    const judged = 'cipo_verdicts_total{status="accepted"}';
    await eventually(async () => (await slow.metric(judged)) === 40);
    slow.held.release();
    const ids = (await pending)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    expect(ids).toEqual(['slow', ...Array(40).fill(RIGHT.id)]);
  });

  test('the id of a request comes back where it is a plain one', async () => {
    const named = await it.post(RIGHT, { 'x-request-id': 'step-7.sample:3' });
    expect(named.headers.get('x-request-id')).toBe('step-7.sample:3');
    const odd = await it.post(RIGHT, { 'x-request-id': 'a b<script>' });
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('what a caller sees', () => {
  const diagnostics = async (reply: Response) =>
    ((await reply.json()) as RowVerdict).diagnostics.map(({ audience }) => audience);

  test('without a token, only what a model may see, and never why the server is in trouble', async () => {
    await using it = await bench({ concurrency: 9 });
    const pending = it.post(heldRow('wrong'));
    const troubled = it.post(heldRow('trouble'));
    await eventually(() => it.held.waiting === 2);
    it.held.release();
    expect(await diagnostics(await pending)).toEqual(['policy']);
    const verdict = (await (await troubled).json()) as RowVerdict;
    expect(verdict).toMatchObject({ status: 'infra_error', passed: null, reward: null });
    expect(verdict.diagnostics).toEqual([]);
    expect(JSON.stringify(it.logged)).toContain('/srv/secret'); // the operator is told
    const asked = await it.post(heldRow('wrong'), {}, '?diagnostics=all');
    expect([asked.status, await asked.json()]).toMatchObject([
      403,
      { error: { code: 'operator-only' } },
    ]);
  });

  test('with a token, everything, or as little as was asked for', async () => {
    await using it = await bench({ tokens: [TOKEN] });
    const seen = async (query: string) => {
      const pending = it.post(heldRow('wrong'), { authorization: `Bearer ${TOKEN}` }, query);
      await eventually(() => it.held.waiting === 1);
      it.held.release();
      return diagnostics(await pending);
    };
    expect(await seen('')).toEqual(['policy', 'operator']);
    expect(await seen('?diagnostics=policy')).toEqual(['policy']);
    expect(await seen('?diagnostics=none')).toEqual([]);
  });

  test('nothing but probes without the token that is set', async () => {
    await using it = await bench({ tokens: [TOKEN, 'another-token-of-these'] });
    const asked = async (path: string, token?: string) => {
      const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
      return (await fetch(`${it.server.url}${path}`, { headers })).status;
    };
    await it.server.ready;
    for (const path of ['/healthz', '/readyz', '/openapi.json'])
      expect(await asked(path), path).toBe(200);
    for (const path of ['/metrics', '/v1/verify', '/no-such-path']) {
      expect(await asked(path), path).toBe(401);
      expect(await asked(path, 'a-wrong-token-here'), path).toBe(401);
    }
    expect(await asked('/metrics', 'another-token-of-these')).toBe(200);
    const reply = await it.post(RIGHT);
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });
});

describe('back-pressure', () => {
  test('beyond the queue a request is refused with when to come back; no verdict is lost or made up', async () => {
    await using it = await bench({ concurrency: 1, queueRows: 2, batchRows: 2 });
    const first = it.post(heldRow('right'));
    await eventually(() => it.held.waiting === 1);
    const second = it.post([heldRow('wrong'), heldRow('right')]);
    await eventually(async () => (await it.metric('cipo_rows_waiting')) === 2);
    const refused = await it.post(heldRow('right'));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await refused.json()).toMatchObject({ error: { code: 'queue-full' } });
    for (let i = 0; i < 3; i += 1) {
      await eventually(() => it.held.waiting === 1);
      it.held.release();
    }
    expect(await (await first).json()).toMatchObject({ status: 'accepted' });
    expect(await (await second).json()).toMatchObject([{ reward: 0 }, { reward: 1 }]);
    expect(it.held.begun).toEqual(['right', 'wrong', 'right']);
  });

  test('a full server refuses before it reads: the body of a refused request never comes', async () => {
    await using it = await bench({ concurrency: 1, queueRows: 1, batchRows: 1 });
    const rows = [it.post(heldRow('right', 'a')), it.post(heldRow('right', 'b'))];
    await eventually(async () => (await it.metric('cipo_rows_waiting')) === 1);
    const head = `POST /v1/verify HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9000000\r\n`;
    expect(await it.raw(`${head}\r\n`, /requestId/)).toMatch(/^HTTP\/1.1 429 /);
    // A client that asks first is told before it sends anything.
    expect(await it.raw(`${head}expect: 100-continue\r\n\r\n`, /requestId/)).toMatch(
      /^HTTP\/1.1 429 /,
    );
    await eventually(() => it.held.waiting === 1);
    it.held.release();
    await eventually(() => it.held.waiting === 1);
    it.held.release();
    await Promise.all(rows);
  });

  test('a client that asks first is told to go on where there is room', async () => {
    await using it = await bench();
    const body = JSON.stringify(RIGHT);
    const head = `POST /v1/verify HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: ${body.length}\r\n\r\n`;
    expect(await it.raw(head, /100 Continue/)).toMatch(/^HTTP\/1.1 100 Continue/);
    expect(await it.raw(head + body)).toContain('"status":"accepted"');
  });

  test('too many rows in one request', async () => {
    await using it = await bench({ batchRows: 2 });
    const reply = await it.post([RIGHT, RIGHT, RIGHT]);
    expect([reply.status, await reply.json()]).toMatchObject([
      413,
      { error: { code: 'too-many-rows' } },
    ]);
    const lines = `${JSON.stringify(RIGHT)}\n`.repeat(3);
    expect((await (await it.post(lines, NDJSON)).text()).match(/accepted/g)).toHaveLength(3);
  });

  test('too many requests at once', async () => {
    await using it = await bench({ requests: 1, concurrency: 8 });
    const first = it.post(heldRow('right'));
    await eventually(() => it.held.waiting === 1);
    const refused = await it.post(RIGHT);
    expect([refused.status, await refused.json()]).toMatchObject([
      429,
      { error: { code: 'too-many-requests' } },
    ]);
    it.held.release();
    expect((await first).status).toBe(200);
    await eventually(async () => (await it.post(RIGHT)).status === 200);
  });
});

describe('a client that goes away', () => {
  test('takes its work with it, and leaves room for others', async () => {
    await using it = await bench({ concurrency: 2 });
    const leave = new AbortController();
    const rows = [1, 2, 3, 4].map((n) => heldRow('right', `${n}`));
    const gone = fetch(`${it.server.url}/v1/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(rows),
      signal: leave.signal,
    });
    await eventually(() => it.held.waiting === 2);
    leave.abort();
    await expect(gone).rejects.toThrow();
    await eventually(() => it.held.aborted === 2);
    expect(it.held.begun).toHaveLength(2); // the other two never reached the domain
    await eventually(async () => (await it.metric('cipo_http_requests_open')) === 0);
    expect(await it.metric('cipo_rows_waiting')).toBe(0);
    expect(await it.metric('cipo_body_held_bytes')).toBe(0);
    expect((await it.post(RIGHT)).status).toBe(200);
    expect(it.logged.map(({ status }) => status)).toContain(499);
  });

  test('in the middle of a stream, the rest of which is not judged', async () => {
    await using it = await bench({ concurrency: 1 });
    const lines = `${JSON.stringify(heldRow('right'))}\n`.repeat(50);
    const body = `POST /v1/verify HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ncontent-length: ${lines.length}\r\n\r\n${lines}`;
    const reading = it.raw(body, /accepted/);
    await eventually(() => it.held.waiting === 1);
    it.held.release();
    await reading;
    await eventually(async () => (await it.metric('cipo_http_requests_open')) === 0);
    expect(it.held.begun.length).toBeLessThan(10);
  });
});

describe('the end of the server', () => {
  test('what is under way is answered, new work is refused, and it closes', async () => {
    await using it = await bench();
    await it.server.ready;
    const pending = it.post(heldRow('right'));
    await eventually(() => it.held.waiting === 1);
    const url = it.server.url;
    const closed = it.server.close();
    await expect(fetch(`${url}/healthz`)).rejects.toThrow(); // takes no new connections
    it.held.release();
    expect(await (await pending).json()).toMatchObject({ status: 'accepted', reward: 1 });
    await closed;
  });

  test('a request that had begun to come is told when to ask again', async () => {
    await using it = await bench();
    await it.server.ready;
    const pending = it.post(heldRow('right'));
    await eventually(() => it.held.waiting === 1);
    const before = await it.metric('cipo_connections');
    const late = it.open();
    late.socket.write('POST /v1/verify HTTP/1.1\r\nhost: local');
    await eventually(async () => (await it.metric('cipo_connections')) > before);
    const closed = it.server.close();
    late.socket.write('host\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}');
    await eventually(() => late.text.includes('requestId'));
    expect(late.text).toMatch(/^HTTP\/1.1 503 .*retry-after: 5.*"draining"/s);
    it.held.release();
    expect((await pending).status).toBe(200);
    await closed;
  });

  test('what does not end in time is answered with null, never with 0', async () => {
    await using it = await bench({ drainMs: 30, concurrency: 1 });
    const pending = it.post([heldRow('right', 'a'), heldRow('right', 'b')]);
    await eventually(() => it.held.waiting === 1);
    await it.server.close();
    const verdicts = (await (await pending).json()) as RowVerdict[];
    const none = { status: 'aborted', passed: null, reward: null };
    expect(verdicts).toMatchObject([
      { id: 'a', ...none },
      { id: 'b', ...none },
    ]);
  });
});

describe('the server about itself', () => {
  test('is ready once its judge has judged, and counts what it answers', async () => {
    await using it = await bench();
    await it.server.ready;
    expect((await fetch(`${it.server.url}/readyz`)).status).toBe(200);
    await it.post([RIGHT, WRONG, RIGHT]);
    await it.post('{');
    const route = 'route="/v1/verify",method="POST"';
    expect(await it.metric(`cipo_http_requests_total{${route},status="200"}`)).toBe(1);
    expect(await it.metric(`cipo_http_requests_total{${route},status="400"}`)).toBe(1);
    expect(await it.metric('cipo_http_refused_total{code="bad-json"}')).toBe(1);
    expect(await it.metric('cipo_verdicts_total{status="accepted"}')).toBe(2);
    expect(await it.metric('cipo_row_seconds_count')).toBe(3);
    expect(await it.metric('cipo_row_wait_seconds_count')).toBe(3);
    expect(await it.metric('cipo_ready')).toBe(1);
    expect(await it.metric('process_cpu_seconds_total')).toBeGreaterThan(0);
  });

  test('logs one line a request, with its id and without its body', async () => {
    await using it = await bench();
    await it.post([RIGHT, WRONG], { 'x-request-id': 'mine' }, '?diagnostics=policy');
    await eventually(() => it.logged.some((line) => line.requestId === 'mine'));
    const line = it.logged.find(({ requestId }) => requestId === 'mine');
    expect(line).toMatchObject({ method: 'POST', path: '/v1/verify', status: 200, rows: 2 });
    expect(JSON.stringify(it.logged)).not.toContain('boxed');
  });

  test('describes itself by OpenAPI, as an independent validator reads it', async () => {
    await using it = await bench({ tokens: [TOKEN] });
    const description = (await (await fetch(`${it.server.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { operationId?: string }>>;
    };
    const validator = new Validator();
    expect(await validator.validate(description)).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    expect(Object.keys(description.paths)).toEqual(
      expect.arrayContaining(['/v1/verify', '/healthz', '/readyz', '/metrics', '/openapi.json']),
    );
    const ids = Object.values(description.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain(undefined);
  });

  test('a route that fails answers 500 and tells its caller nothing', async () => {
    const describe = { operationId: 'broken', summary: 'Fails', responses: {} };
    const broken: Route = {
      ...{ method: 'GET', path: '/broken', open: true, describe },
      handle: () => Promise.reject(new Error('the secret reason')),
    };
    const teapot: Route = {
      ...{ method: 'GET', path: '/teapot', describe: { ...describe, operationId: 'teapot' } },
      handle: () => Promise.reject(new Problem(418, 'no-judgement', 'short and stout')),
      problem: ({ code }) => ({ detail: code }),
    };
    await using it = await bench({}, [broken, teapot]);
    const reply = await fetch(`${it.server.url}/broken`);
    const text = await reply.text();
    expect([reply.status, JSON.parse(text)]).toMatchObject([500, { error: { code: 'internal' } }]);
    expect(text).not.toContain('secret');
    expect(JSON.stringify(it.logged)).toContain('the secret reason');
    const own = await fetch(`${it.server.url}/teapot`);
    expect([own.status, await own.json()]).toEqual([418, { detail: 'no-judgement' }]);
  });
});
