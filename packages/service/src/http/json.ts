/**
 * Parses JSON from bytes: UTF-8 only, depth and number of values counted before anything is built, integers kept exact, and
 * no keys that reach a prototype. Leaves out: reading the bytes.
 */
import { errorMessage } from '@cipo/support';
import { parseJson } from '@cipo/verifier/rows';
import { scan } from 'secure-json-parse';
import { Problem } from './problem.ts';

export interface JsonLimits {
  /** Maximum nesting of lists and objects. */
  readonly depth: number;
  /** Maximum number of values and keys in one text. A body of empty lists needs twenty times its size in memory. */
  readonly values: number;
}

const DECODER = new TextDecoder('utf-8', { fatal: true });

/** @throws {Problem} 400 or 413 with the reason */
export function readJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  checkLimits(bytes, limits);
  const text = decode(bytes);
  if (text.trim() === '') throw new Problem(400, 'empty-body', 'the body is empty');
  try {
    const value = parseJson(text);
    checkPrototypeKeys(value, text);
    return value;
  } catch (error) {
    throw jsonProblem(error, text);
  }
}

/** A key may contain escapes, so only a text without any of these certainly has no prototype key. */
const SUSPECT = /__proto__|constructor|\\u/;

function checkPrototypeKeys(value: unknown, text: string): void {
  if (typeof value !== 'object' || value === null || !SUSPECT.test(text)) return;
  scan(value, { protoAction: 'error', constructorAction: 'error' });
}

function decode(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes);
  } catch {
    throw new Problem(400, 'bad-encoding', 'the body is not valid UTF-8');
  }
}

const MAX_MESSAGE_CHARS = 200;

function jsonProblem(error: unknown, text: string): Problem {
  const message = errorMessage(error);
  if (message.includes('forbidden prototype property')) {
    return new Problem(
      400,
      'prototype-key',
      'the keys __proto__ and constructor.prototype are not allowed',
    );
  }
  const reason = message.slice(0, MAX_MESSAGE_CHARS);
  return new Problem(400, 'bad-json', `expected JSON: ${reason}`, { received: text });
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** One pass over the bytes, which is safe because no multi-byte sequence of UTF-8 contains an ASCII byte. */
function checkLimits(bytes: Uint8Array, limits: JsonLimits): void {
  let [depth, values, at] = [0, 1, 0];
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) at = endOfString(bytes, at + 1);
    else if (OPENING.has(byte)) [depth, values] = [depth + 1, values + 1];
    else if (CLOSING.has(byte)) depth -= 1;
    else if (byte === COMMA) values += 1;
    if (depth > limits.depth) {
      throw new Problem(400, 'too-deep', `the JSON is nested deeper than ${limits.depth}`);
    }
    if (values > limits.values) {
      throw new Problem(413, 'too-many-values', `the JSON has more than ${limits.values} values`);
    }
    at += 1;
  }
}

/** Index of the quote that ends the string that began before `from`, or the length of the text if it does not end. */
function endOfString(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) return at;
  }
  return bytes.length;
}
