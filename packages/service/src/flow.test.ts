/** Tests of ordered concurrency: order, limits, aborts and errors. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inOrder } from './flow.ts';

function sizeOf(): number {
  return 1;
}

function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

async function* count(to: number) {
  for (let i = 0; i < to; i++) yield i;
}

test('results come in the order of the items and within the limits, in whatever order they finish', async () => {
  const plan = fc.record({
    delays: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 40 }),
    inFlight: fc.integer({ min: 1, max: 6 }),
    maxHeld: fc.integer({ min: 1, max: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ delays, inFlight, maxHeld }) => {
      let [running, most, finished, taken, mostHeld] = [0, 0, 0, 0, 0];
      const work = async (item: number) => {
        most = Math.max(most, ++running);
        for (let i = 0; i < delays[item]!; i++) await turn();
        running--;
        mostHeld = Math.max(mostHeld, ++finished - taken);
        return item;
      };
      const seen: number[] = [];
      for await (const item of inOrder(count(delays.length), work, { inFlight, maxHeld, sizeOf })) {
        seen.push(item);
        taken++;
      }
      expect(seen).toEqual([...delays.keys()]);
      expect(most).toBeLessThanOrEqual(inFlight);
      expect(mostHeld).toBeLessThanOrEqual(maxHeld + inFlight);
    }),
    { numRuns: 60 },
  );
});

test('a result is yielded while the source waits for its next item', async () => {
  const endless = (async function* () {
    yield 'first';
    await new Promise(() => undefined);
  })();
  const flow = inOrder(endless, async (item) => item, { inFlight: 4, maxHeld: 9, sizeOf });
  expect(await flow.next()).toEqual({ done: false, value: 'first' });
});

test('an abort ends the flow at once, even if the source and the work never settle', async () => {
  const stop = new AbortController();
  const never = new Promise<string>(() => undefined);
  const work = (item: number) => (item === 0 ? Promise.resolve('done') : never);
  const options = { inFlight: 4, maxHeld: 9, sizeOf, signal: stop.signal };
  const seen: string[] = [];
  for await (const result of inOrder(count(100), work, options)) {
    seen.push(result);
    setImmediate(() => stop.abort());
  }
  expect(seen).toEqual(['done']);
});

test('items as heavy as the limit run one at a time', async () => {
  let [running, most] = [0, 0];
  const work = async () => {
    most = Math.max(most, ++running);
    await turn();
    running--;
    return 'done';
  };
  const weights = { maxWeight: 10, weightOf: () => 10 };
  const options = { inFlight: 4, maxHeld: 9, sizeOf, ...weights };
  for await (const _ of inOrder(count(20), work, options));
  expect(most).toBe(1);
});

test('an error of the work is rethrown', async () => {
  const work = async (item: number) => {
    if (item === 2) throw new Error('the judge failed');
    return item;
  };
  const read = async () => {
    for await (const _ of inOrder(count(9), work, { inFlight: 1, maxHeld: 9, sizeOf }));
  };
  await expect(read()).rejects.toThrow('the judge failed');
});

test('an error of the source is rethrown', async () => {
  const broken = (async function* () {
    yield 1;
    throw new Error('the disk failed');
  })();
  const flow = inOrder(broken, async (item) => item, { inFlight: 1, maxHeld: 9, sizeOf });
  const read = async () => {
    for await (const _ of flow);
  };
  await expect(read()).rejects.toThrow('the disk failed');
});
