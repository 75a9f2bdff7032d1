/** What ends a completion before its length does: end tokens, stop tokens, stop texts that may span tokens. */

import type { SamplingOptions, StopReason, TokenIds } from '../../types.ts';

/** Why a completion ends with the last of `tokens`, or undefined where it goes on. */
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
 * Looks at the end of the text only: a token makes at least one byte of it, so a stop text that the last token
 * completes began within as many tokens as it has bytes. A few more keep away from what a decoder does at the start of
 * a text (a blank left out, half a character).
 */
function textCheck(stopStrings: readonly string[], decode: (tokens: TokenIds) => string) {
  const window = Math.max(...stopStrings.map((text) => Buffer.byteLength(text))) + 4;
  return (tokens: TokenIds): boolean => {
    const text = decode(tokens.subarray(Math.max(0, tokens.length - window)));
    return stopStrings.some((stop) => text.includes(stop));
  };
}

/** A completion's text without the first stop text and what follows it. */
export function withoutStop(text: string, stopStrings: readonly string[]): string {
  const places = stopStrings.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return places.length > 0 ? text.slice(0, Math.min(...places)) : text;
}
