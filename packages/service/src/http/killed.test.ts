/** Sandboxes that are killed under the server: verdicts take longer, and stay what they were. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RowVerdict } from '../judge.ts';
import { type Bench, bench, eventually } from './testing/harness.ts';

const TASKS = '/proc/self/task';
const isListed = existsSync(`${TASKS}/${process.pid}/children`);

/** Processes that any thread of this one has started: the sandboxes of the server. */
function sandboxes(): number[] {
  const files = readdirSync(TASKS).map((thread) => `${TASKS}/${thread}/children`);
  const lists = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
  return lists.join(' ').split(' ').map(Number).filter(Boolean);
}

const rows = (count: number, batch: number) =>
  Array.from({ length: count }, (_, n) => ({
    id: `${batch}-${n}`,
    domain: 'code',
    language: 'javascript',
    response: `const f = (n) => n + ${n % 2};`,
    tests: { type: 'call', entry: 'f', cases: [{ args: [n], expected: n + 1 }] },
  }));

let it: Bench;
beforeAll(async () => {
  it = await bench({ concurrency: 4 });
  await it.server.ready;
});
afterAll(() => it[Symbol.asyncDispose]());

test.skipIf(!isListed)('a kill in every batch changes no verdict', async () => {
  const started = await it.metric('cipo_worker_starts_total');
  for (let batch = 0; batch < 3; batch += 1) {
    const pending = it.post(rows(12, batch));
    let killed = 0;
    // No more than one a batch: a row that is killed again and again is judged for that.
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
