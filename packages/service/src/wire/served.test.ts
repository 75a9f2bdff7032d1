/** Tests of the wire formats through the server: recorded requests, and the replies of a server without capacity. */
import { afterAll, describe, expect, test } from 'vitest';
import { createLog, serve } from '../http/index.ts';
import { createJudge, type Judge } from '../judge.ts';
import { RECORDED } from './testing.ts';

const judge = await createJudge({ workers: 1 });
const log = createLog('json', { write: () => true });
const idle = await serve({ judge, log }, { port: 0 });
let release = () => {};
const released = new Promise<void>((resolve) => {
  release = resolve;
});
/** Blocks every run until `release` is called. */
const blocked: Judge = { ...judge, run: (...args) => released.then(() => judge.run(...args)) };
const full = await serve(
  { judge: blocked, log },
  { port: 0, concurrency: 1, queueRows: 1, batchRows: 1 },
);
afterAll(async () => {
  await Promise.all([idle.close(), full.close()]);
  await judge.close();
});

async function post(url: string, path: string, body: unknown) {
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`${url}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  const canRetry = reply.headers.get('retry-after') !== null;
  return { status: reply.status, canRetry, body: (await reply.json()) as unknown };
}

test.each(Object.entries(RECORDED))(
  'the recorded request of %s is answered with 200',
  async (_client, { path, body }) => {
    expect(await post(idle.url, path, body)).toMatchObject({ status: 200 });
  },
);

test.each([
  ['/v1/ping', 'pong'],
  ['/health', { status: 'healthy' }],
])('GET %s reports that the process is running', async (path, body) => {
  expect(await (await fetch(`${idle.url}${path}`)).json()).toEqual(body);
});

test('an error of run_code has the shape of FastAPI', async () => {
  const reply = await post(idle.url, '/run_code', { code: 'x', language: 'cobol' });
  expect(reply).toMatchObject({ status: 422, body: { detail: [{ loc: ['body', 'language'] }] } });
  const broken = await fetch(`${idle.url}/run_code`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{',
  });
  expect(broken.status).toBe(400);
  expect(await broken.json()).toMatchObject({ detail: expect.any(String) });
});

describe('a server without capacity', () => {
  const run = { code: 'print(1)', language: 'python' };
  const waitUntilFull = async () => {
    for (;;) {
      const text = await (await fetch(`${full.url}/metrics`)).text();
      if (/^cipo_rows_waiting 1$/m.test(text)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  test('every client gets the status that it retries, and no client gets a reward', async () => {
    const held = [post(full.url, '/run_code', run), post(full.url, '/run_code', run)];
    await waitUntilFull();
    const program = { program: 'def f(): return 1', tests: ['assert f() == 1'] };
    const retried = post(full.url, '/test_program', program);
    expect(await post(full.url, '/run_code', run)).toMatchObject({ status: 504, canRetry: true });
    const slime = RECORDED['slime: remote_rm']!;
    expect(await post(full.url, slime.path, slime.body)).toMatchObject({
      status: 429,
      canRetry: true,
    });
    const openrlhf = RECORDED['OpenRLHF 0.11.2: SingleTurnAgentExecutor']!;
    const waiting = post(full.url, openrlhf.path, openrlhf.body);
    release();
    for (const reply of held) expect(await reply).toMatchObject({ status: 200 });
    expect(await retried).toMatchObject({ status: 200, body: { results: [1] } });
    expect(await waiting).toMatchObject({ status: 200, body: { rewards: [1] } });
  });
});
