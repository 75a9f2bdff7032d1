/**
 * Conditions that end a completion before its maximum length: end tokens, stop tokens, and stop strings, which may span
 * tokens.
 */

import type { SamplingOptions, StopReason, TokenIds } from '../types.ts';

/** Why a completion ends with the last of `tokens`; undefined if it continues. */
export type StopCheck = (tokens: TokenIds) => StopReason | undefined;

export function stopCheck(
  endIds: readonly number[],
  { stopTokens = [], stopStrings = [], decode }: SamplingOptions,
): StopCheck {
  const [ends, stops] = [new Set(endIds), new Set(stopTokens)];
  const hasStopText = decode && stopStrings.length > 0 ? textCheck(stopStrings, decode) : undefined;
  return (tokens) => {
    const last = tokens.at(-1)!;
    if (ends.has(last)) return 'end';
    return stops.has(last) || hasStopText?.(tokens) ? 'stop' : undefined;
  };
}

/**
 * Decodes only the end of the completion. A token with text makes at least one byte, so a stop string that the last
 * token completes began within as many tokens as it has bytes. A few more tokens avoid what a decoder does at the start
 * of a text (a dropped space, half a character).
 */
function textCheck(stopStrings: readonly string[], decode: (tokens: TokenIds) => string) {
  const window = Math.max(...stopStrings.map((text) => Buffer.byteLength(text))) + 4;
  const hasText = textTokens(decode);
  return (tokens: TokenIds): boolean => {
    if (!hasText(tokens.at(-1)!)) return false;
    const last: number[] = [];
    for (let at = tokens.length - 1; at >= 0 && last.length < window; at--)
      if (hasText(tokens[at]!)) last.push(tokens[at]!);
    const text = decode(Int32Array.from(last.reverse()));
    return stopStrings.some((stop) => text.includes(stop));
  };
}

/**
 * Whether a token is text: special tokens are not. The token is decoded twice in a row because a decoder drops a space
 * at the start.
 */
function textTokens(decode: (tokens: TokenIds) => string): (token: number) => boolean {
  const known = new Map<number, boolean>();
  return (token) => {
    const found = known.get(token) ?? decode(Int32Array.of(token, token)) !== '';
    known.set(token, found);
    return found;
  };
}

/** The text of a completion without the first stop string and what follows it. */
export function withoutStop(text: string, stopStrings: readonly string[]): string {
  const places = stopStrings.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return places.length > 0 ? text.slice(0, Math.min(...places)) : text;
}
