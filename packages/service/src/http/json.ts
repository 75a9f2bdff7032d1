/**
 * Bytes to values: UTF-8 or nothing, within a depth and a number of values that are counted before anything is
 * built, whole numbers kept whole, and without keys that reach a prototype. Leaves out: where the bytes come from.
 */
import { parseJson } from '@cipo/verifier/rows';
import { scan } from 'secure-json-parse';
import { Problem } from './problem.ts';

export interface JsonLimits {
  /** Brackets within brackets. */
  readonly depth: number;
  /** Values and keys in one text: a body of empty lists takes twenty times its size in memory. */
  readonly values: number;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** @throws {Problem} 400 that says what is wrong with the text */
export function readJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  measure(bytes, limits);
  const text = decode(bytes);
  if (text.trim() === '') throw new Problem(400, 'empty-body', 'the body is empty');
  try {
    return withoutPrototypes(parseJson(text), text);
  } catch (error) {
    throw refusal(error, text);
  }
}

/** Keys can be written in escapes, too: only a text without any of these is sure to have none. */
const SUSPECT = /__proto__|constructor|\\u/;

function withoutPrototypes(value: unknown, text: string): unknown {
  if (typeof value === 'object' && value !== null && SUSPECT.test(text))
    scan(value, { protoAction: 'error', constructorAction: 'error' });
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Problem(400, 'bad-encoding', 'the body is not valid UTF-8');
  }
}

function refusal(error: unknown, text: string): Problem {
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes('forbidden prototype property'))
    return new Problem(
      400,
      'prototype-key',
      'the keys __proto__ and constructor.prototype are refused',
    );
  return new Problem(400, 'bad-json', `not JSON: ${message.slice(0, 200)}`, { received: text });
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** One pass over the bytes: no multi-byte sequence of UTF-8 contains an ASCII byte. */
function measure(bytes: Uint8Array, limits: JsonLimits): void {
  let [depth, values, at] = [0, 1, 0];
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) at = endOfString(bytes, at + 1);
    else if (OPENING.has(byte)) [depth, values] = [depth + 1, values + 1];
    else if (CLOSING.has(byte)) depth -= 1;
    else if (byte === COMMA) values += 1;
    if (depth > limits.depth)
      throw new Problem(400, 'too-deep', `nested deeper than ${limits.depth}`);
    if (values > limits.values)
      throw new Problem(413, 'too-many-values', `more than ${limits.values} values in one text`);
    at += 1;
  }
}

/** Where the string that began before `from` ends; the last byte where it does not. */
function endOfString(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) return at;
  }
  return bytes.length;
}
