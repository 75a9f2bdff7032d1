import { expect, test } from 'vitest';
import { errorMessage, isRecord, mean, uniqueBy } from './index.ts';

test('the mean of nothing is NaN, not 0', () => {
  expect(mean([])).toBeNaN();
  expect(mean([1, 2, 6])).toBe(3);
});

test('a record is a keyed object; arrays, null and functions are not records', () => {
  expect([{}, { a: 1 }, Object.create(null)].every(isRecord)).toBe(true);
  expect([[], null, undefined, 'a', 1, () => 1].some(isRecord)).toBe(false);
});

test('the message of anything thrown is a string', () => {
  expect(errorMessage(new TypeError('x must be a number'))).toBe('x must be a number');
  expect(errorMessage('plain text')).toBe('plain text');
  expect(errorMessage(undefined)).toBe('undefined');
});

test('uniqueBy keeps the first item of each key and the order of the items', () => {
  const items = [
    { k: 1, v: 'a' },
    { k: 2, v: 'b' },
    { k: 1, v: 'c' },
  ];
  expect(uniqueBy(items, ({ k }) => k).map(({ v }) => v)).toEqual(['a', 'b']);
});
