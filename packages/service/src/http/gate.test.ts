/** Tests of the queue: concurrency, order, and exact counts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Gate } from './gate.ts';
import { Problem } from './problem.ts';

const never = new AbortController().signal;
function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Work that ends when the test ends it. */
function controlledWork() {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => {
    started.push(name);
    return new Promise<string>((resolve) => ends.push(() => resolve(name)));
  };
  return {
    started,
    work,
    end: () => ends.shift()?.(),
    endAll: () => ends.splice(0).map((f) => f()),
  };
}

test('requests of any size get results in order, and never run more rows than allowed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }),
      async (concurrency, sizes) => {
        const gate = new Gate({ concurrency, queueRows: 1000, queueMs: 60_000 });
        let [now, most] = [0, 0];
        const work = async (item: number) => {
          now += 1;
          most = Math.max(most, now);
          await tick();
          now -= 1;
          return item * 2;
        };
        const lists = sizes.map((size) => Array.from({ length: size }, (_, i) => i));
        const answers = await Promise.all(lists.map((list) => gate.runAll(list, never, work)));
        expect(answers).toEqual(lists.map((list) => list.map((item) => item * 2)));
        expect(most).toBeLessThanOrEqual(concurrency);
        expect([gate.running, gate.waiting]).toEqual([0, 0]);
      },
    ),
    { numRuns: 50 },
  );
});

test('a small request runs between the rows of a large one', async () => {
  const gate = new Gate({ concurrency: 2, queueRows: 100, queueMs: 60_000 });
  const { started, work, endAll } = controlledWork();
  const large = gate.runAll(['a1', 'a2', 'a3', 'a4', 'a5', 'a6'], never, work);
  await tick();
  const small = gate.runAll(['b1'], never, work);
  await tick();
  expect(started).toEqual(['a1', 'a2']);
  endAll();
  await tick();
  expect(started).toContain('b1');
  expect(started.indexOf('b1')).toBeLessThan(4);
  while (started.length < 7) {
    endAll();
    await tick();
  }
  endAll();
  expect(await small).toEqual(['b1']);
  expect(await large).toHaveLength(6);
});

test('a blocked kind does not block the others', async () => {
  const gate = new Gate({ concurrency: 1, queueRows: 10, queueMs: 60_000 });
  const { work, endAll } = controlledWork();
  const stuck = gate.runAll(['a', 'b'], never, work, () => 'python');
  await tick();
  expect(
    await gate.runAll(
      ['c'],
      never,
      async (name) => name,
      () => 'javascript',
    ),
  ).toEqual(['c']);
  expect(await gate.runNext(never, async () => 'd', 'other')).toBe('d');
  expect([gate.running, gate.waiting]).toEqual([1, 1]);
  endAll();
  await tick();
  endAll();
  expect(await stuck).toEqual(['a', 'b']);
  expect(gate.running).toBe(0);
});

describe('rejected requests', () => {
  test('a request beyond the queue gets 429 with Retry-After and none of its rows starts', async () => {
    const gate = new Gate({ concurrency: 1, queueRows: 2, queueMs: 60_000 });
    const { started, work, end } = controlledWork();
    const first = gate.runAll(['a', 'b', 'c'], never, work);
    await tick();
    const refused = await gate.runAll(['d'], never, work).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Problem);
    expect(refused).toMatchObject({ status: 429, code: 'queue-full' });
    expect(Number((refused as Problem).headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(started).toEqual(['a']);
    for (let i = 0; i < 3; i += 1) {
      end();
      await tick();
    }
    expect(await first).toEqual(['a', 'b', 'c']);
    expect(gate.waiting).toBe(0);
  });

  test('a request whose first row does not start in time is rejected and leaves no count', async () => {
    const gate = new Gate({ concurrency: 1, queueRows: 100, queueMs: 20 });
    const { started, work, end } = controlledWork();
    const first = gate.runAll(['a'], never, work);
    const late = gate.runAll(['b', 'c', 'd'], never, work);
    await expect(late).rejects.toMatchObject({ status: 429, code: 'queue-timeout' });
    await tick();
    expect(started).toEqual(['a']);
    expect([gate.running, gate.waiting]).toEqual([1, 0]);
    end();
    expect(await first).toEqual(['a']);
    expect([gate.running, gate.waiting]).toEqual([0, 0]);
  });

  test('a request that is expected to start too late is rejected at once', async () => {
    const gate = new Gate({ concurrency: 1, queueRows: 1000, queueMs: 4_000 });
    const { started, work, endAll } = controlledWork();
    // The initial estimate is 10 ms per row: more than 200 waiting rows take more than half of 4 s.
    const all = Array.from({ length: 202 }, (_, n) => gate.runAll([`${n}`], never, work));
    await tick();
    await expect(gate.runAll(['late'], never, work)).rejects.toMatchObject({ code: 'queue-full' });
    expect(
      await gate.runAll(
        ['other'],
        never,
        async (name) => name,
        () => 'other kind',
      ),
    ).toEqual(['other']);
    const settled = Promise.allSettled(all);
    for (let i = 0; i < 202; i += 1) {
      endAll();
      await tick();
    }
    await settled;
    expect(started).not.toContain('late');
    expect([gate.running, gate.waiting]).toEqual([0, 0]);
  });

  test('a row of a stream waits without a limit', async () => {
    const gate = new Gate({ concurrency: 1, queueRows: 1, queueMs: 1 });
    const { work, end } = controlledWork();
    const all = [gate.runNext(never, () => work('a')), gate.runNext(never, () => work('b'))];
    const third = gate.runNext(never, () => work('c'));
    for (let i = 0; i < 3; i += 1) {
      await tick();
      end();
    }
    expect(await Promise.all([...all, third])).toEqual(['a', 'b', 'c']);
  });
});

test('after an abort waiting rows run at once, so that they can report the abort', async () => {
  const gate = new Gate({ concurrency: 1, queueRows: 100, queueMs: 60_000 });
  const { work, end } = controlledWork();
  const first = gate.runAll(['a'], never, work);
  const stop = new AbortController();
  const second = gate.runAll(['b', 'c'], stop.signal, async (name) => `${name} aborted`);
  await tick();
  stop.abort();
  expect(await second).toEqual(['b aborted', 'c aborted']);
  expect([gate.running, gate.waiting]).toEqual([1, 0]);
  end();
  expect(await first).toEqual(['a']);
  expect(gate.running).toBe(0);
});

test('work that throws frees its slot', async () => {
  const gate = new Gate({ concurrency: 1, queueRows: 10, queueMs: 60_000 });
  const failing = gate.runAll(['a'], never, async () => {
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect([gate.running, gate.waiting]).toEqual([0, 0]);
  expect(await gate.runAll(['b'], never, async (name) => name)).toEqual(['b']);
});
