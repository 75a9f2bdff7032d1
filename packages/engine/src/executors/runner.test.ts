import { afterAll, expect, test } from 'vitest';
import { f32 } from '../ops.ts';
import { openExecutor } from './open.ts';
import { Runner } from './runner.ts';

const opened: Runner[] = [];
afterAll(() => Promise.all(opened.map((runner) => runner.close())));

/** Runs programs that keep so many bytes each, in this order; says which were compiled. */
async function compiledBy(
  scratchBytes: number | undefined,
  runs: readonly (readonly [key: string, scratch?: number])[],
): Promise<string[]> {
  const runner = new Runner(await openExecutor({ threads: 1 }), scratchBytes);
  opened.push(runner);
  const compiled: string[] = [];
  for (const [key, scratch] of runs) {
    const { y } = await runner.run({
      key,
      ...(scratch !== undefined && { scratch }),
      make: () => {
        compiled.push(key);
        return { name: key, inputs: { x: f32() }, build: (ops, { x }) => ({ y: ops.add(x!, x!) }) };
      },
      resident: {},
      fresh: { x: Float32Array.of(21) },
      wanted: { y: f32() },
    });
    expect([...y!]).toEqual([42]);
  }
  return compiled;
}

const turns = [
  ['train a', 60],
  ['train b', 60],
  ['train a', 60],
] as const;

test('a program is compiled once', async () => {
  expect(await compiledBy(undefined, turns)).toEqual(['train a', 'train b']);
  expect(await compiledBy(120, turns)).toEqual(['train a', 'train b']);
});

test('over the memory limit the least recently used program is evicted and compiled again', async () => {
  expect(await compiledBy(100, turns)).toEqual(['train a', 'train b', 'train a']);
});

test('a program larger than the limit still runs, and small ones are kept', async () => {
  const runs = [['norm'], ['train a', 500], ['norm'], ['train a', 500]] as const;
  expect(await compiledBy(100, runs)).toEqual(['norm', 'train a']);
});
