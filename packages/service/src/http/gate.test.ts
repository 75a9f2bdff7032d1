/** The queue: never more at once than allowed, everything in order, nothing counted twice. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Gate } from './gate.ts';
import { Problem } from './problem.ts';

const never = new AbortController().signal;
const tick = () => new Promise((resolve) => setImmediate(resolve));

/** Work that ends when the test says so. */
function desk() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => {
    begun.push(name);
    return new Promise<string>((resolve) => ends.push(() => resolve(name)));
  };
  return { begun, work, end: () => ends.shift()?.(), endAll: () => ends.splice(0).map((f) => f()) };
}

test('any requests, of any size, are answered in order and never more than allowed at once', async () => {
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
        const answers = await Promise.all(lists.map((list) => gate.each(list, never, work)));
        expect(answers).toEqual(lists.map((list) => list.map((item) => item * 2)));
        expect(most).toBeLessThanOrEqual(concurrency);
        expect([gate.running, gate.waiting]).toEqual([0, 0]);
      },
    ),
    { numRuns: 50 },
  );
});

test('a small request goes between the rows of a large one', async () => {
  const gate = new Gate({ concurrency: 2, queueRows: 100, queueMs: 60_000 });
  const { begun, work, endAll } = desk();
  const large = gate.each(['a1', 'a2', 'a3', 'a4', 'a5', 'a6'], never, work);
  await tick();
  const small = gate.each(['b1'], never, work);
  await tick();
  expect(begun).toEqual(['a1', 'a2']);
  endAll();
  await tick();
  expect(begun).toContain('b1');
  expect(begun.indexOf('b1')).toBeLessThan(4);
  while (begun.length < 7) {
    endAll();
    await tick();
  }
  endAll();
  expect(await small).toEqual(['b1']);
  expect(await large).toHaveLength(6);
});

test('where one lane stands still, the others go on', async () => {
  const gate = new Gate({ concurrency: 1, queueRows: 10, queueMs: 60_000 });
  const { work, endAll } = desk();
  const stuck = gate.each(['a', 'b'], never, work, () => 'python');
  await tick();
  expect(
    await gate.each(
      ['c'],
      never,
      async (name) => name,
      () => 'javascript',
    ),
  ).toEqual(['c']);
  expect(await gate.next(never, async () => 'd', 'other')).toBe('d');
  expect([gate.running, gate.waiting]).toEqual([1, 1]);
  endAll();
  await tick();
  endAll();
  expect(await stuck).toEqual(['a', 'b']);
  expect(gate.running).toBe(0);
});

describe('without room', () => {
  test('a request is refused whole, with when to come back, and nothing of it is begun', async () => {
    const gate = new Gate({ concurrency: 1, queueRows: 2, queueMs: 60_000 });
    const { begun, work, end } = desk();
    const first = gate.each(['a', 'b', 'c'], never, work);
    await tick();
    const refused = await gate.each(['d'], never, work).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Problem);
    expect(refused).toMatchObject({ status: 429, code: 'queue-full' });
    expect(Number((refused as Problem).headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(begun).toEqual(['a']);
    for (let i = 0; i < 3; i += 1) {
      end();
      await tick();
    }
    expect(await first).toEqual(['a', 'b', 'c']);
    expect(gate.waiting).toBe(0);
  });

  test('a request whose turn does not come in time is refused, and leaves no trace', async () => {
    const gate = new Gate({ concurrency: 1, queueRows: 100, queueMs: 20 });
    const { begun, work, end } = desk();
    const first = gate.each(['a'], never, work);
    const late = gate.each(['b', 'c', 'd'], never, work);
    await expect(late).rejects.toMatchObject({ status: 429, code: 'queue-timeout' });
    await tick();
    expect(begun).toEqual(['a']);
    expect([gate.running, gate.waiting]).toEqual([1, 0]);
    end();
    expect(await first).toEqual(['a']);
    expect([gate.running, gate.waiting]).toEqual([0, 0]);
  });

  test('a request whose turn cannot be expected in time is refused at once', async () => {
    const gate = new Gate({ concurrency: 1, queueRows: 1000, queueMs: 4_000 });
    const { begun, work, endAll } = desk();
    // Lanes begin with the guess of 10 ms a row: more than two hundred that wait are more than half of 4 s.
    const all = Array.from({ length: 202 }, (_, n) => gate.each([`${n}`], never, work));
    await tick();
    await expect(gate.each(['late'], never, work)).rejects.toMatchObject({ code: 'queue-full' });
    expect(
      await gate.each(
        ['other'],
        never,
        async (name) => name,
        () => 'lane',
      ),
    ).toEqual(['other']);
    const settled = Promise.allSettled(all);
    for (let i = 0; i < 202; i += 1) {
      endAll();
      await tick();
    }
    await settled;
    expect(begun).not.toContain('late');
    expect([gate.running, gate.waiting]).toEqual([0, 0]);
  });

  test('a row of a stream waits instead', async () => {
    const gate = new Gate({ concurrency: 1, queueRows: 1, queueMs: 1 });
    const { work, end } = desk();
    const all = [gate.next(never, () => work('a')), gate.next(never, () => work('b'))];
    const third = gate.next(never, () => work('c'));
    for (let i = 0; i < 3; i += 1) {
      await tick();
      end();
    }
    expect(await Promise.all([...all, third])).toEqual(['a', 'b', 'c']);
  });
});

test('after an abort what waits runs at once, so that it can answer that it was aborted', async () => {
  const gate = new Gate({ concurrency: 1, queueRows: 100, queueMs: 60_000 });
  const { work, end } = desk();
  const first = gate.each(['a'], never, work);
  const stop = new AbortController();
  const second = gate.each(['b', 'c'], stop.signal, async (name) => `${name} aborted`);
  await tick();
  stop.abort();
  expect(await second).toEqual(['b aborted', 'c aborted']);
  expect([gate.running, gate.waiting]).toEqual([1, 0]);
  end();
  expect(await first).toEqual(['a']);
  expect(gate.running).toBe(0);
});

test('work that fails frees its place', async () => {
  const gate = new Gate({ concurrency: 1, queueRows: 10, queueMs: 60_000 });
  const failing = gate.each(['a'], never, async () => {
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect([gate.running, gate.waiting]).toEqual([0, 0]);
  expect(await gate.each(['b'], never, async (name) => name)).toEqual(['b']);
});
