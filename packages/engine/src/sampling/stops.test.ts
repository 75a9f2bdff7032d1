import { describe, expect, test } from 'vitest';
import type { TokenIds } from '../types.ts';
import { stopCheck } from './stops.ts';

/** Token 2 is `a`, 3 is `b`, 4 a blank that is left out at the start of a text; the rest is no text. */
function decode(tokens: TokenIds) {
  return Array.from(tokens, (id) => ['', '', 'a', 'b', ' '][id] ?? '')
    .join('')
    .replace(/^ /, '');
}

describe('a stop text is found', () => {
  const check = (stopStrings: readonly string[], ...tokens: number[]) =>
    stopCheck([1], { stopStrings, decode } as Parameters<typeof stopCheck>[1])(
      Int32Array.from(tokens),
    );
  const silent = (count: number) => new Array<number>(count).fill(9);

  test('a stop string is found with any number of textless tokens between its parts', () => {
    expect(check(['ab'], 2, 3)).toBe('stop');
    for (const count of [1, 5, 6, 7, 100, 5000])
      expect(check(['ab'], 3, 2, ...silent(count), 3), `${count}`).toBe('stop');
    expect(check(['ab'], 3, ...silent(100), 2)).toBeUndefined();
  });

  test('a stop string that ends in a space is found although decoders drop leading spaces', () => {
    expect(check(['a '], 2, ...silent(9), 4)).toBe('stop');
  });

  test('a stop string is found once, with the token that completes it', () => {
    expect(check(['ab'], 2, 3, 9)).toBeUndefined();
    expect(check(['ab'], 2, 3, 1)).toBe('end');
  });
});
