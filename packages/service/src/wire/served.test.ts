/** The wire formats through the server: real requests, and what their clients hear when there is no room. */
import { afterAll, describe, expect, test } from 'vitest';
import { createLog, serve } from '../http/index.ts';
import { createJudge, type Judge } from '../judge.ts';
import { RECORDED } from './testing.ts';

const judge = await createJudge({ workers: 1 });
const log = createLog('json', { write: () => true });
const roomy = await serve({ judge, log }, { port: 0 });
let release = () => {};
const released = new Promise<void>((resolve) => {
  release = resolve;
});
/** Keeps its one place until it is told to go on. */
const slow: Judge = { ...judge, run: (...asked) => released.then(() => judge.run(...asked)) };
const narrow = await serve(
  { judge: slow, log },
  { port: 0, concurrency: 1, queueRows: 1, batchRows: 1 },
);
afterAll(async () => {
  await Promise.all([roomy.close(), narrow.close()]);
  await judge.close();
});

async function post(url: string, path: string, body: unknown) {
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`${url}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  const again = reply.headers.get('retry-after') !== null;
  return { status: reply.status, again, body: (await reply.json()) as unknown };
}

test.each(Object.entries(RECORDED))('%s is answered', async (_client, { path, body }) => {
  expect(await post(roomy.url, path, body)).toMatchObject({ status: 200 });
});

test.each([
  ['/v1/ping', 'pong'],
  ['/health', { status: 'healthy' }],
])('GET %s says that the process answers', async (path, body) => {
  expect(await (await fetch(`${roomy.url}${path}`)).json()).toEqual(body);
});

test('a refusal of run_code has the shape of FastAPI', async () => {
  const reply = await post(roomy.url, '/run_code', { code: 'x', language: 'cobol' });
  expect(reply).toMatchObject({ status: 422, body: { detail: [{ loc: ['body', 'language'] }] } });
  const broken = await fetch(`${roomy.url}/run_code`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{',
  });
  expect(broken.status).toBe(400);
  expect(await broken.json()).toMatchObject({ detail: expect.any(String) });
});

describe('without room', () => {
  const run = { code: 'print(1)', language: 'python' };
  const full = async () => {
    for (;;) {
      const text = await (await fetch(`${narrow.url}/metrics`)).text();
      if (/^cipo_rows_waiting 1$/m.test(text)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  test('every client gets the refusal that it asks again after, and none a reward', async () => {
    const held = [post(narrow.url, '/run_code', run), post(narrow.url, '/run_code', run)];
    await full();
    const program = { program: 'def f(): return 1', tests: ['assert f() == 1'] };
    const patient = post(narrow.url, '/test_program', program);
    expect(await post(narrow.url, '/run_code', run)).toMatchObject({ status: 504, again: true });
    const slime = RECORDED['slime: remote_rm']!;
    expect(await post(narrow.url, slime.path, slime.body)).toMatchObject({
      status: 429,
      again: true,
    });
    const openrlhf = RECORDED['OpenRLHF 0.11.2: SingleTurnAgentExecutor']!;
    const waiting = post(narrow.url, openrlhf.path, openrlhf.body);
    release();
    for (const reply of held) expect(await reply).toMatchObject({ status: 200 });
    expect(await patient).toMatchObject({ status: 200, body: { results: [1] } });
    expect(await waiting).toMatchObject({ status: 200, body: { rewards: [1] } });
  });
});
