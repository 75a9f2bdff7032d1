/**
 * Turns tokens into text while they are generated. A token can end inside a character, and the text of a token can
 * depend on the token before it, so text is emitted only once later tokens cannot change it.
 */
import type { TokenStream } from '../types.ts';

/** Tokens without a complete character after which the text is emitted as it is: no character is longer. */
const MAX_OPEN_TOKENS = 64;

/** @param decode the tokenizer's */
export function tokenStream(decode: (tokens: readonly number[]) => string): TokenStream {
  // New tokens are decoded together with the last emitted ones, because the first token of a text may lose its leading
  // space. A control token has no text and therefore does not replace them.
  let tokens: number[] = [];
  let emitted = 0;
  const emit = (text: string): string => {
    const before = decode(tokens.slice(0, emitted));
    const fresh = tokens.slice(emitted);
    if (decode(fresh) !== '') tokens = fresh;
    emitted = tokens.length;
    return text.slice(before.length);
  };
  return {
    push: (token) => {
      tokens.push(token);
      const text = decode(tokens);
      const isOpen = text.endsWith('\ufffd') && tokens.length - emitted < MAX_OPEN_TOKENS;
      return isOpen ? '' : emit(text);
    },
    end: () => emit(decode(tokens)),
  };
}
