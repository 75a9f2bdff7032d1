/** Tests of how results and printed outputs are compared. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_TOLERANCE, firstDifference } from './compare.ts';
import { outputDifference } from './output.ts';
import { isTagged, readWire, showWire, type Wire, wireOfJson } from './value.ts';

const rules = { tolerance: DEFAULT_TOLERANCE, oneNumberType: false };
const differ = (expected: unknown, actual: Wire) =>
  firstDifference(wireOfJson(expected), actual, rules);

/** Turns objects into maps, as a Python dict is encoded. */
const asMaps = (wire: Wire): Wire =>
  isTagged(wire)
    ? wire.map((part, i) => (i === 0 ? (part === 'o' ? 'm' : part) : asMaps(part)))
    : wire;

describe('structural comparison', () => {
  test('any JSON value equals itself after it went through the wire form', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const wire = readWire(JSON.stringify(wireOfJson(value)));
        expect(wire).toBeDefined();
        expect(differ(value, wire!)).toBeUndefined();
        expect(showWire(wire!).length).toBeLessThanOrEqual(200);
      }),
    );
  });

  test('two JSON values are equal exactly if their texts with sorted keys are equal', () => {
    const key = fc.constantFrom('a', 'b');
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        fc.integer({ min: 0, max: 2 }),
        fc.constant(null),
        key,
        fc.array(tie('node'), { maxLength: 2 }),
        fc.dictionary(key, tie('node')),
      ),
    })).node;
    fc.assert(
      fc.property(value, value, (a, b) => {
        const same = sorted(a) === sorted(b);
        for (const wire of [wireOfJson(b), asMaps(wireOfJson(b))])
          expect(firstDifference(wireOfJson(a), wire, rules) === undefined).toBe(same);
      }),
    );
  });

  test('the first difference is reported with its path', () => {
    const actual = wireOfJson([1, 2, { name: 'b', 'odd key': [1] }]);
    expect(differ([1, 2, { name: 'a' }], actual)).toEqual({
      path: '[2].name',
      expected: '"a"',
      actual: '"b"',
    });
    expect(differ([1, 2, { name: 'b', 'odd key': [2] }], actual)?.path).toBe('[2]["odd key"][0]');
    expect(differ([1, 2], actual)?.path).toBe('.length');
  });

  test.each<[string, unknown, Wire, boolean]>([
    ['0.1 + 0.2', 0.3, 0.1 + 0.2, true],
    ['a wrong digit', 0.3333333333, 0.3333, false],
    ['a large integer and a half', 738491625, 738491625.5, false],
    ['neighboring integers', 9007199254740991, 9007199254740990, false],
    ['a number and infinity', 3, ['n', 'Infinity'], false],
    ['a fraction and infinity', 0.5, ['n', '-Infinity'], false],
    ['infinity and itself', { $type: 'number', value: 'Infinity' }, ['n', 'Infinity'], true],
    ['NaN', { $type: 'number', value: 'NaN' }, ['n', 'NaN'], true],
    ['0 and -0', 0, ['n', '-0'], true],
    ['an expected -0 and 0', { $type: 'number', value: '-0' }, 0, false],
    ['a number and its text', 1, '1', false],
    ['1 and true', 1, true, false],
    ['null and undefined', null, ['u'], false],
    ['an expected undefined', { $type: 'undefined' }, ['u'], true],
    ['a field that is undefined', { a: 1 }, ['o', 'a', 1, 'b', ['u']], true],
    ['a missing field', { a: 1, b: 2 }, ['o', 'a', 1], false],
    ['a field that is null', { a: null }, ['o', 'a', null], true],
    ['a key that is null, as of a Python dict', { a: null }, ['m', 'a', null], true],
    ['a field that is missing and null', { a: null }, ['o'], false],
    ['a field that is null and missing', {}, ['o', 'a', null], false],
    ['a key that is missing and null', { a: null }, ['m'], false],
    [
      'a bigint',
      { $type: 'bigint', value: '12345678901234567890' },
      ['b', '12345678901234567890'],
      true,
    ],
    ['a bigint with zeros before it', { $type: 'bigint', value: '-007' }, ['b', '-7'], true],
    ['a bigint for a number', 5, ['b', '5'], false],
    ['a set in another order', { $type: 'set', value: [1, [2]] }, ['s', ['a', 2], 1], true],
    ['a set with one more', { $type: 'set', value: [1] }, ['s', 1, 2], false],
    [
      'a map in another order',
      {
        $type: 'map',
        value: [
          [1, 'x'],
          ['k', 2],
        ],
      },
      ['m', 'k', 2, 1, 'x'],
      true,
    ],
    ['an object for a map of text keys', { a: 1 }, ['m', 'a', 1], true],
    ['an object for a map of number keys', { 1: 'x' }, ['m', 1, 'x'], true],
    ['a list for a tuple', [1, 2], ['t', 1, 2], true],
    ['an expected tuple and a list', { $type: 'tuple', value: [1] }, ['a', 1], false],
    ['a date', { $type: 'date', value: 5 }, ['d', 5], true],
    ['cycles of the same shape', [1], ['a', ['c', 1]], false],
  ])('comparing %s gives the right result', (_name, expected, actual, equal) => {
    expect(differ(expected, actual) === undefined).toBe(equal);
  });

  test('in Python every number is compared by its value', () => {
    const python = { ...rules, oneNumberType: true };
    expect(firstDifference(5, ['b', '5'], python)).toBeUndefined();
    expect(firstDifference(['b', '36893488147419103232'], 2 ** 65, python)).toBeUndefined();
  });

  test.each([
    '',
    '{',
    '["a"',
    '["zz",1]',
    '{"a":1}',
    '[1]',
    `${'["a",'.repeat(400)}1${']'.repeat(400)}`,
  ])('text that is not in wire form is refused: %.20s', (text) =>
    expect(readWire(text)).toBeUndefined(),
  );
});

describe('printed output', () => {
  const plain = { exact: false, ignoreCase: false };
  test.each([
    ['white space does not matter', '1 2\n3\n', '1\n2   3', plain, true],
    ['an incorrect token is a difference', '1 2', '1 3', plain, false],
    ['an additional token is a difference', '1', '1 2', plain, false],
    ['without a tolerance numbers are compared as text', '1.0', '1.00', plain, false],
    [
      'a number within the tolerance is equal',
      '1.0',
      '1.0000001',
      { ...plain, tolerance: { relative: 1e-6, absolute: 0 } },
      true,
    ],
    [
      'a number outside of the tolerance is a difference',
      '1.0',
      '1.1',
      { ...plain, tolerance: { relative: 1e-6, absolute: 0 } },
      false,
    ],
    [
      'a number that overflows equals no other number',
      '3',
      '1e999',
      { ...plain, tolerance: { relative: 1, absolute: 9 } },
      false,
    ],
    [
      'a tolerance does not apply to words',
      'nan',
      'NaN',
      { ...plain, tolerance: { relative: 1, absolute: 9 } },
      false,
    ],
    ['ignoreCase ignores case', 'Yes', 'YES', { ...plain, ignoreCase: true }, true],
    ['without ignoreCase case matters', 'Yes', 'YES', plain, false],
    [
      'an exact comparison ignores the last line end',
      'a b\n',
      'a b',
      { ...plain, exact: true },
      true,
    ],
    [
      'an exact comparison sees an additional space',
      'a b',
      'a  b',
      { ...plain, exact: true },
      false,
    ],
  ])('printed output: %s', (_name, expected, actual, how, equal) => {
    expect(outputDifference(expected, actual, how) === undefined).toBe(equal);
  });

  test('a megabyte that is almost a number is compared in linear time', () => {
    const nearly = `${'7'.repeat(1_000_000)}x`;
    const how = { ...plain, tolerance: { relative: 1, absolute: 9 } };
    expect(outputDifference('3', nearly, how)?.path).toBe('line 1');
  });

  test('the first difference is reported with its line', () => {
    expect(outputDifference('1\n2\n3', '1\n2\n4', plain)).toEqual({
      path: 'line 3',
      expected: '3',
      actual: '4',
    });
  });
});

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
