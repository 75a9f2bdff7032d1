/** Tests that verdicts do not change if sandbox processes are killed while they work. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RowVerdict } from '../judge.ts';
import { eventually, startTestServer, type TestServer } from './testing/harness.ts';

const TASKS = '/proc/self/task';
const isListed = existsSync(`${TASKS}/${process.pid}/children`);

/** Processes that any thread of this process has started: the sandboxes of the server. */
function sandboxes(): number[] {
  const files = readdirSync(TASKS).map((thread) => `${TASKS}/${thread}/children`);
  const lists = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
  return lists.join(' ').split(' ').map(Number).filter(Boolean);
}

/** Rows that are alternately incorrect and correct. */
function createRows(count: number, batch: number) {
  return Array.from({ length: count }, (_, n) => ({
    id: `${batch}-${n}`,
    domain: 'code',
    language: 'javascript',
    response: `const f = (n) => n + ${n % 2};`,
    tests: { type: 'call', entry: 'f', cases: [{ args: [n], expected: n + 1 }] },
  }));
}

let it: TestServer;
beforeAll(async () => {
  it = await startTestServer({ concurrency: 4 });
  await it.server.ready;
});
afterAll(() => it[Symbol.asyncDispose]());

test.skipIf(!isListed)('killing a sandbox in every batch changes no verdict', async () => {
  const started = await it.metric('cipo_worker_starts_total');
  for (let batch = 0; batch < 3; batch += 1) {
    const pending = it.post(createRows(12, batch));
    let killed = 0;
    // At most one per batch: a row whose sandbox is killed repeatedly is judged as crashed.
    await eventually(() => {
      for (const pid of sandboxes().slice(0, 1)) {
        process.kill(pid, 'SIGKILL');
        killed += 1;
      }
      return killed > 0;
    });
    const verdicts = (await (await pending).json()) as RowVerdict[];
    expect(verdicts.map(({ id, reward }) => [id, reward])).toEqual(
      verdicts.map((_, n) => [`${batch}-${n}`, n % 2]),
    );
    expect(verdicts).toHaveLength(12);
  }
  expect(await it.metric('cipo_worker_starts_total')).toBeGreaterThanOrEqual(started + 3);
});
