/** Tests of the JSON reader: equal to JSON.parse within the limits, and errors before a value is built. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readJson } from './json.ts';
import { Problem } from './problem.ts';

const LIMITS = { depth: 20, values: 1000 };

function codeOf(text: string | Uint8Array): string {
  try {
    readJson(typeof text === 'string' ? Buffer.from(text) : text, LIMITS);
    return 'read';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

/** Measures the parsed value, independently of the pass over the bytes. */
function measure(value: unknown): { depth: number; values: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, values: 1 };
  const inner = Object.values(value).map(measure);
  return {
    depth: 1 + Math.max(0, ...inner.map((it) => it.depth)),
    values: 1 + inner.reduce((sum, it) => sum + it.values, 0),
  };
}

test('any value within the limits is parsed as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      fc.pre(!/__proto__|constructor/.test(text));
      const { depth, values } = measure(JSON.parse(text));
      fc.pre(depth <= LIMITS.depth && values < LIMITS.values / 2);
      expect(readJson(Buffer.from(text), LIMITS)).toEqual(JSON.parse(text));
    }),
  );
});

test('nesting deeper than allowed is rejected, with any string inside', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 0, max: 40 }), (text, depth) => {
      const nested = `${'['.repeat(depth)}${JSON.stringify(text)}${']'.repeat(depth)}`;
      expect(codeOf(nested)).toBe(depth > LIMITS.depth ? 'too-deep' : 'read');
    }),
  );
});

describe('rejected texts', () => {
  test.each([
    ['an empty text', '', 'empty-body'],
    ['white space', ' \n\t', 'empty-body'],
    ['a truncated text', '{"a": [1, 2', 'bad-json'],
    ['an unterminated string', '"abc', 'bad-json'],
    ['a string that ends with a backslash', '"abc\\', 'bad-json'],
    ['two texts', '{} {}', 'bad-json'],
    ['unbalanced closing brackets', ']]]]', 'bad-json'],
    ['NaN', '[NaN]', 'bad-json'],
    ['the key __proto__', '{"a": [{"__proto__": {"b": 1}}]}', 'prototype-key'],
    ['the key __proto__ in escapes', '{"\\u005f_proto__": {"b": 1}}', 'prototype-key'],
    ['the key constructor.prototype', '{"constructor": {"prototype": {"b": 1}}}', 'prototype-key'],
    ['very deep nesting', '['.repeat(5_000_000), 'too-deep'],
    ['very many values', `[${'[],'.repeat(100_000)}[]]`, 'too-many-values'],
  ])('%s is rejected', (_name, text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  test.each([
    ['a byte that UTF-8 never contains', [0x22, 0xff, 0x22]],
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['a truncated character', [0x22, 0xe2, 0x82, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x5b, 0x00, 0x5d, 0x00]],
  ])('invalid UTF-8 is rejected: %s', (_name, given) => {
    expect(codeOf(Uint8Array.from(given))).toBe('bad-encoding');
  });
});

test('strings that mention prototype keys are accepted', () => {
  const row = { response: '__proto__ and constructor.prototype', constructor: 'Ford' };
  expect(readJson(Buffer.from(JSON.stringify(row)), LIMITS)).toEqual(row);
});
