/**
 * Text while tokens come. A token can end within a character, or be written differently after another; text is given
 * out only up to where neither can still happen.
 */
import type { TokenStream } from '../types.ts';

/** Tokens without a whole character after which the text is given out as it is: no character is that long. */
const longestWait = 64;

export function tokenStream(decode: (tokens: readonly number[]) => string): TokenStream {
  // New tokens are decoded together with the last ones given out, because the first of a text may lose its blank. A
  // control token, which has no text, does not count as one.
  let tokens: number[] = [];
  let settled = 0;
  const advance = (text: string): string => {
    const before = decode(tokens.slice(0, settled));
    const fresh = tokens.slice(settled);
    if (decode(fresh) !== '') tokens = fresh;
    settled = tokens.length;
    return text.slice(before.length);
  };
  return {
    push: (token) => {
      tokens.push(token);
      const text = decode(tokens);
      const isOpen = text.endsWith('\ufffd') && tokens.length - settled < longestWait;
      return isOpen ? '' : advance(text);
    },
    end: () => advance(decode(tokens)),
  };
}
