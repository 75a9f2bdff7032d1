/** Tests of the server with a real judge: shapes of replies, visible diagnostics, limits, metrics, log and shutdown. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RowVerdict } from '../judge.ts';
import { Problem } from './problem.ts';
import type { Route } from './route.ts';
import {
  eventually,
  heldRow,
  mathRow,
  startTestServer,
  type TestServer,
  TOKEN,
} from './testing/harness.ts';

const CORRECT = mathRow('1/2', '0.5');
const INCORRECT = mathRow('1/2', '0.6');
const NDJSON = { 'content-type': 'application/x-ndjson' };

function outcome({ id, status, passed, reward }: RowVerdict) {
  return { id, status, passed, reward };
}
const ACCEPTED = { id: CORRECT.id, status: 'accepted', passed: true, reward: 1 };
const REJECTED = { id: INCORRECT.id, status: 'wrong_answer', passed: false, reward: 0 };

describe('POST /v1/verify', () => {
  let it: TestServer;
  beforeAll(async () => {
    it = await startTestServer();
  });
  afterAll(() => it[Symbol.asyncDispose]());

  test('a row gets a verdict', async () => {
    const reply = await it.post(CORRECT);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const verdict = (await reply.json()) as RowVerdict;
    expect(outcome(verdict)).toEqual(ACCEPTED);
    expect(Object.keys(verdict)).toEqual([
      ...['id', 'status', 'passed', 'reward', 'diagnostics', 'cpuMs', 'wallMs'],
    ]);
  });

  test('a list of rows gets a list of verdicts in the same order', async () => {
    const verdicts = (await (
      await it.post([INCORRECT, CORRECT, INCORRECT])
    ).json()) as RowVerdict[];
    expect(verdicts.map(outcome)).toEqual([REJECTED, ACCEPTED, REJECTED]);
    expect(await (await it.post([])).json()).toEqual([]);
  });

  test('rows under the key rows get verdicts under the same key', async () => {
    const { rows } = (await (await it.post({ rows: [CORRECT, INCORRECT] })).json()) as {
      rows: RowVerdict[];
    };
    expect(rows.map(outcome)).toEqual([ACCEPTED, REJECTED]);
  });

  test('a row that cannot be read gets bad_task with the reason and does not affect the others', async () => {
    const bad = { id: 'no answer', domain: 'math', response: '1' };
    const verdicts = (await (await it.post([CORRECT, bad, 7, null])).json()) as RowVerdict[];
    expect(verdicts.map(({ status, reward }) => [status, reward])).toEqual([
      ['accepted', 1],
      ...Array(3).fill(['bad_task', null]),
    ]);
    expect(verdicts[1]).toMatchObject({
      id: 'no answer',
      diagnostics: [{ code: 'bad-task', details: { field: 'answer' } }],
    });
  });

  test('an integer beyond double precision is judged to its last digit', async () => {
    const row = (said: string) =>
      `{"answer": 12345678901234567891, "response": "It is \\\\boxed{${said}}."}`;
    const body = `[${row('12345678901234567891')}, ${row('12345678901234567000')}]`;
    expect(await (await it.post(body)).json()).toMatchObject([{ reward: 1 }, { reward: 0 }]);
    const lines = `${row('12345678901234567891')}\n`;
    expect(await (await it.post(lines, NDJSON)).json()).toMatchObject({ reward: 1 });
  });

  test('a row with limits above the ceilings is a bad_task', async () => {
    const row = { ...CORRECT, limits: { cpuMs: 1e9 } };
    expect(await (await it.post(row)).json()).toMatchObject({
      ...{ id: CORRECT.id, status: 'bad_task', passed: null, reward: null },
      diagnostics: [{ details: { field: 'limits.cpuMs', received: '1000000000' } }],
    });
  });

  test('NDJSON gets NDJSON, and a malformed line does not affect the others', async () => {
    const lines = [JSON.stringify(CORRECT), '{"id": ', '', JSON.stringify(INCORRECT)].join('\r\n');
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

  test('a stream gets verdicts while it is still being sent', async () => {
    const { readable, writable } = new TransformStream<Uint8Array>();
    const writer = writable.getWriter();
    const send = (row: unknown) => writer.write(Buffer.from(`${JSON.stringify(row)}\n`));
    const first = send(CORRECT);
    const reply = await fetch(`${it.server.url}/v1/verify`, {
      ...{ method: 'POST', headers: NDJSON, body: readable, duplex: 'half' },
    } as RequestInit);
    await first;
    const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect(JSON.parse((await reader.read()).value ?? '')).toMatchObject(ACCEPTED);
    void send(INCORRECT);
    expect(JSON.parse((await reader.read()).value ?? '')).toMatchObject(REJECTED);
    await writer.close();
    expect((await reader.read()).done).toBe(true);
  });

  test('a slow row of a stream does not delay the judging of later rows', async () => {
    await using slow = await startTestServer({ concurrency: 2 });
    const rows = [heldRow('correct', 'slow'), ...Array.from({ length: 40 }, () => CORRECT)];
    const text = rows.map((row) => JSON.stringify(row)).join('\n');
    const pending = slow.post(text, NDJSON).then((reply) => reply.text());
    const judged = 'cipo_verdicts_total{status="accepted"}';
    await eventually(async () => (await slow.metric(judged)) === 40);
    slow.held.release();
    const ids = (await pending)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    expect(ids).toEqual(['slow', ...Array(40).fill(CORRECT.id)]);
  });

  test('a request id of safe characters is returned, and another one is replaced', async () => {
    const named = await it.post(CORRECT, { 'x-request-id': 'step-7.sample:3' });
    expect(named.headers.get('x-request-id')).toBe('step-7.sample:3');
    const odd = await it.post(CORRECT, { 'x-request-id': 'a b<script>' });
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('visible diagnostics', () => {
  const diagnostics = async (reply: Response) =>
    ((await reply.json()) as RowVerdict).diagnostics.map(({ audience }) => audience);

  test('a caller without a token sees policy diagnostics only, and not the reason for a failure', async () => {
    await using it = await startTestServer({ concurrency: 9 });
    const pending = it.post(heldRow('incorrect'));
    const failing = it.post(heldRow('fail'));
    await eventually(() => it.held.waiting === 2);
    it.held.release();
    expect(await diagnostics(await pending)).toEqual(['policy']);
    const verdict = (await (await failing).json()) as RowVerdict;
    expect(verdict).toMatchObject({ status: 'infra_error', passed: null, reward: null });
    expect(verdict.diagnostics).toEqual([]);
    expect(JSON.stringify(it.logged)).toContain('/srv/secret'); // the operator sees the reason in the log
    const denied = await it.post(heldRow('incorrect'), {}, '?diagnostics=all');
    expect([denied.status, await denied.json()]).toMatchObject([
      403,
      { error: { code: 'operator-only' } },
    ]);
  });

  test('a caller with a token sees all diagnostics, or those that it requests', async () => {
    await using it = await startTestServer({ tokens: [TOKEN] });
    const seen = async (query: string) => {
      const pending = it.post(heldRow('incorrect'), { authorization: `Bearer ${TOKEN}` }, query);
      await eventually(() => it.held.waiting === 1);
      it.held.release();
      return diagnostics(await pending);
    };
    expect(await seen('')).toEqual(['policy', 'operator']);
    expect(await seen('?diagnostics=policy')).toEqual(['policy']);
    expect(await seen('?diagnostics=none')).toEqual([]);
  });

  test('without a valid token only the public routes reply', async () => {
    await using it = await startTestServer({ tokens: [TOKEN, 'another-token-of-these'] });
    const statusOf = async (path: string, token?: string) => {
      const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
      return (await fetch(`${it.server.url}${path}`, { headers })).status;
    };
    await it.server.ready;
    for (const path of ['/', '/healthz', '/readyz', '/openapi.json']) {
      expect(await statusOf(path), path).toBe(200);
    }
    for (const path of ['/metrics', '/v1/verify', '/no-such-path']) {
      expect(await statusOf(path), path).toBe(401);
      expect(await statusOf(path, 'a-wrong-token-here'), path).toBe(401);
    }
    expect(await statusOf('/metrics', 'another-token-of-these')).toBe(200);
    const reply = await it.post(CORRECT);
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });
});

describe('limits', () => {
  test('a request beyond the queue gets 429 with Retry-After, and the others keep their verdicts', async () => {
    await using it = await startTestServer({ concurrency: 1, queueRows: 2, batchRows: 2 });
    const first = it.post(heldRow('correct'));
    await eventually(() => it.held.waiting === 1);
    const second = it.post([heldRow('incorrect'), heldRow('correct')]);
    await eventually(async () => (await it.metric('cipo_rows_waiting')) === 2);
    const refused = await it.post(heldRow('correct'));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await refused.json()).toMatchObject({ error: { code: 'queue-full' } });
    for (let i = 0; i < 3; i += 1) {
      await eventually(() => it.held.waiting === 1);
      it.held.release();
    }
    expect(await (await first).json()).toMatchObject({ status: 'accepted' });
    expect(await (await second).json()).toMatchObject([{ reward: 0 }, { reward: 1 }]);
    expect(it.held.started).toEqual(['correct', 'incorrect', 'correct']);
  });

  test('a full server replies 429 before it reads the body', async () => {
    await using it = await startTestServer({ concurrency: 1, queueRows: 1, batchRows: 1 });
    const rows = [it.post(heldRow('correct', 'a')), it.post(heldRow('correct', 'b'))];
    await eventually(async () => (await it.metric('cipo_rows_waiting')) === 1);
    const head = `POST /v1/verify HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9000000\r\n`;
    expect(await it.raw(`${head}\r\n`, /requestId/)).toMatch(/^HTTP\/1.1 429 /);
    // A client that sends Expect: 100-continue gets the reply before it sends its body.
    expect(await it.raw(`${head}expect: 100-continue\r\n\r\n`, /requestId/)).toMatch(
      /^HTTP\/1.1 429 /,
    );
    await eventually(() => it.held.waiting === 1);
    it.held.release();
    await eventually(() => it.held.waiting === 1);
    it.held.release();
    await Promise.all(rows);
  });

  test('a client that sends Expect: 100-continue may continue if the queue has capacity', async () => {
    await using it = await startTestServer();
    const body = JSON.stringify(CORRECT);
    const head = `POST /v1/verify HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: ${body.length}\r\n\r\n`;
    expect(await it.raw(head, /100 Continue/)).toMatch(/^HTTP\/1.1 100 Continue/);
    expect(await it.raw(head + body)).toContain('"status":"accepted"');
  });

  test('a request with too many rows gets 413, and a stream of as many rows is judged', async () => {
    await using it = await startTestServer({ batchRows: 2 });
    const reply = await it.post([CORRECT, CORRECT, CORRECT]);
    expect([reply.status, await reply.json()]).toMatchObject([
      413,
      { error: { code: 'too-many-rows' } },
    ]);
    const lines = `${JSON.stringify(CORRECT)}\n`.repeat(3);
    expect((await (await it.post(lines, NDJSON)).text()).match(/accepted/g)).toHaveLength(3);
  });

  test('a request beyond the maximum number of requests gets 429', async () => {
    await using it = await startTestServer({ requests: 1, concurrency: 8 });
    const first = it.post(heldRow('correct'));
    await eventually(() => it.held.waiting === 1);
    const refused = await it.post(CORRECT);
    expect([refused.status, await refused.json()]).toMatchObject([
      429,
      { error: { code: 'too-many-requests' } },
    ]);
    it.held.release();
    expect((await first).status).toBe(200);
    await eventually(async () => (await it.post(CORRECT)).status === 200);
  });
});

describe('disconnected clients', () => {
  test('the work of a client that disconnects is aborted and frees its slots', async () => {
    await using it = await startTestServer({ concurrency: 2 });
    const leave = new AbortController();
    const rows = [1, 2, 3, 4].map((n) => heldRow('correct', `${n}`));
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
    expect(it.held.started).toHaveLength(2); // the other two rows never reached the domain
    await eventually(async () => (await it.metric('cipo_http_requests_open')) === 0);
    expect(await it.metric('cipo_rows_waiting')).toBe(0);
    expect(await it.metric('cipo_body_held_bytes')).toBe(0);
    expect((await it.post(CORRECT)).status).toBe(200);
    expect(it.logged.map(({ status }) => status)).toContain(499);
  });

  test('a stream whose client disconnects is not judged further', async () => {
    await using it = await startTestServer({ concurrency: 1 });
    const lines = `${JSON.stringify(heldRow('correct'))}\n`.repeat(50);
    const body = `POST /v1/verify HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ncontent-length: ${lines.length}\r\n\r\n${lines}`;
    const reading = it.raw(body, /accepted/);
    await eventually(() => it.held.waiting === 1);
    it.held.release();
    await reading;
    await eventually(async () => (await it.metric('cipo_http_requests_open')) === 0);
    expect(it.held.started.length).toBeLessThan(10);
  });
});

describe('shutdown', () => {
  test('the server answers requests in progress, accepts no new ones, and closes', async () => {
    await using it = await startTestServer();
    await it.server.ready;
    const pending = it.post(heldRow('correct'));
    await eventually(() => it.held.waiting === 1);
    const url = it.server.url;
    const closed = it.server.close();
    await expect(fetch(`${url}/healthz`)).rejects.toThrow(); // no new connections
    it.held.release();
    expect(await (await pending).json()).toMatchObject({ status: 'accepted', reward: 1 });
    await closed;
  });

  test('a request that arrives during shutdown gets 503 with Retry-After', async () => {
    await using it = await startTestServer();
    await it.server.ready;
    const pending = it.post(heldRow('correct'));
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

  test('rows that do not finish in time get the reward null, never 0', async () => {
    await using it = await startTestServer({ drainMs: 30, concurrency: 1 });
    const pending = it.post([heldRow('correct', 'a'), heldRow('correct', 'b')]);
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

describe('probes, metrics and log', () => {
  test('the server is ready after its judge has judged, and counts requests and rows', async () => {
    await using it = await startTestServer();
    await it.server.ready;
    expect((await fetch(`${it.server.url}/readyz`)).status).toBe(200);
    await it.post([CORRECT, INCORRECT, CORRECT]);
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

  test('the log has one line per request, with its id and without its body', async () => {
    await using it = await startTestServer();
    await it.post([CORRECT, INCORRECT], { 'x-request-id': 'mine' }, '?diagnostics=policy');
    await eventually(() => it.logged.some((line) => line.requestId === 'mine'));
    const line = it.logged.find(({ requestId }) => requestId === 'mine');
    expect(line).toMatchObject({ method: 'POST', path: '/v1/verify', status: 200, rows: 2 });
    expect(JSON.stringify(it.logged)).not.toContain('boxed');
  });

  test('the OpenAPI description is valid for an independent validator', async () => {
    await using it = await startTestServer({ tokens: [TOKEN] });
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

  test('a route that throws replies 500 without details', async () => {
    const describe = { operationId: 'broken', summary: 'Fails', responses: {} };
    const broken: Route = {
      ...{ method: 'GET', path: '/broken', isPublic: true, describe },
      handle: () => Promise.reject(new Error('the secret reason')),
    };
    const teapot: Route = {
      ...{ method: 'GET', path: '/teapot', describe: { ...describe, operationId: 'teapot' } },
      handle: () => Promise.reject(new Problem(418, 'no-judgement', 'short and stout')),
      problem: ({ code }) => ({ detail: code }),
    };
    await using it = await startTestServer({}, [broken, teapot]);
    const reply = await fetch(`${it.server.url}/broken`);
    const text = await reply.text();
    expect([reply.status, JSON.parse(text)]).toMatchObject([500, { error: { code: 'internal' } }]);
    expect(text).not.toContain('secret');
    expect(JSON.stringify(it.logged)).toContain('the secret reason');
    const own = await fetch(`${it.server.url}/teapot`);
    expect([own.status, await own.json()]).toEqual([418, { detail: 'no-judgement' }]);
  });
});
