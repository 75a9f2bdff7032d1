import { expect, test } from 'vitest';
import { EngineError } from './errors.ts';
import { axisLength } from './ops.ts';
import { mapTensors, pickTensors, requireParam } from './tensors.ts';

test('a missing tensor is an internal error that names it', () => {
  const params = { 'model.norm.weight': 1 };
  expect(requireParam(params, 'model.norm.weight')).toBe(1);
  expect(() => requireParam(params, 'lm_head.weight')).toThrow(
    new EngineError('internal', 'tensor "lm_head.weight" is missing'),
  );
});

test('mapping tensors keeps their names and their order', () => {
  const mapped = mapTensors({ b: 2, a: 1 }, (x: number, name) => `${name}${x}`);
  expect(Object.entries(mapped)).toEqual([
    ['b', 'b2'],
    ['a', 'a1'],
  ]);
});

test('picking tensors leaves out all others', () => {
  expect(pickTensors({ a: 1, b: 2, c: 3 }, ['c', 'a'])).toEqual({ a: 1, c: 3 });
});

test('axes count from the end if negative, and an axis that a shape lacks is refused', () => {
  expect(axisLength({ shape: [2, 3] }, 0)).toBe(2);
  expect(axisLength({ shape: [2, 3] }, -1)).toBe(3);
  expect(() => axisLength({ shape: [2, 3] }, 2)).toThrow(/\[2,3\] has no axis 2/);
});
