import { expect, test } from 'vitest';
import { placeTensors } from './arrays.ts';

test('placed tensors follow each other, begin on cache lines and do not overlap', () => {
  const [run, ...others] = placeTensors([[3, 5], [1], [4, 4]]);
  expect(others).toEqual([]);
  expect(run!.parts.map(({ byteOffset, length }) => [byteOffset, length])).toEqual([
    [0, 15],
    [64, 1],
    [128, 16],
  ]);
  for (const [i, part] of run!.parts.entries()) part.fill(i + 1);
  expect(run!.array.reduce((sum, x) => sum + x, 0)).toBe(15 + 2 + 48);
});

test('tensors that do not fit into one array go whole into the next', () => {
  const runs = placeTensors([[16], [20], [16], [100], [8]], 64);
  expect(runs.map(({ array, parts }) => [array.length, parts.length])).toEqual([
    [64, 3],
    [112, 1],
    [16, 1],
  ]);
});

test('an empty list of tensors takes no memory', () => expect(placeTensors([])).toEqual([]));
