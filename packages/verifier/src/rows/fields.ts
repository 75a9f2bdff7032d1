/** Helpers of the row layer: reading one column, and parsing JSON without rounding integers. */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { TaskError } from '../types.ts';

/** Whether a column is empty in this row: absent, null, blank text or an empty list. */
export function isBlank(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === 'string') return value.trim() === '';
  return Array.isArray(value) && value.length === 0;
}

/** The value of an own field. Inherited properties are not columns. */
export function own(row: UnknownRecord | undefined, name: string): unknown {
  return row !== undefined && Object.hasOwn(row, name) ? row[name] : undefined;
}

/** The first of the named fields that is not blank. */
export function firstOf(
  row: UnknownRecord | undefined,
  names: readonly string[],
): string | undefined {
  return names.find((name) => !isBlank(own(row, name)));
}

/** Whether a value is a list of one or more strings. */
export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === 'string');
}

/** Whether a value is a list of chat turns: one or more objects with a `role`. */
export function isTurns(value: unknown): value is readonly UnknownRecord[] {
  return Array.isArray(value) && value.length > 0 && value.every((v) => isRecord(v) && 'role' in v);
}

const LONG_NUMBER = /\d{16}/;

/**
 * Parses JSON text. An integer outside the safe range of a double becomes a BigInt, because a rounded reference would be
 * a different reference.
 * @throws {SyntaxError} if the text is not JSON
 */
export function parseJson(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  return REPORTS_SOURCE ? JSON.parse(text, keepIntegers) : parseMarked(text);
}

/** Whether JSON.parse passes the source text of a number to its reviver: since Node 21. */
const REPORTS_SOURCE = JSON.parse('1', (_key, _value, context?: object) => context !== undefined);

function keepIntegers(
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?!\s*:)/g;
const LONG_INTEGER = /^-?[1-9]\d{15,}$/;
/** Starts the text that replaces a long integer while {@link parseMarked} parses. */
const MARK = '\uE000integer:';

/** For Node 20: long integers become marked strings first, and the reviver turns those into numbers. */
export function parseMarked(text: string): unknown {
  JSON.parse(text); // malformed text must throw before it is changed
  const marked = text.replace(TOKEN, (token) =>
    LONG_INTEGER.test(token) ? JSON.stringify(MARK + token) : token,
  );
  return JSON.parse(marked, (_key, value) => {
    if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
    const digits = value.slice(MARK.length);
    return Number.isSafeInteger(Number(digits)) ? Number(digits) : BigInt(digits);
  });
}

/** Parses a column that holds JSON as text; returns every other value unchanged. */
export function fromJsonText(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return parseJson(value);
  } catch {
    return value; // text that only starts like JSON, for example LaTeX
  }
}

/** Replaces each BigInt by the `$type` object that code tests use, or by a number if it is a safe integer. */
export function typedNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const near = Number(value);
    return Number.isSafeInteger(near) ? near : { $type: 'bigint', value: value.toString() };
  }
  if (Array.isArray(value)) return value.map(typedNumbers);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, typedNumbers(part)]));
}

/**
 * Unwraps a list of one element; some exporters wrap every value. Returns every other value unchanged.
 * @throws {TaskError} if the list does not have exactly one element
 */
export function single(value: unknown, field: string, what: string): unknown {
  if (!Array.isArray(value)) return value;
  if (value.length === 1) return value[0];
  throw new TaskError(field, `expected one of the ${what}, got ${value.length}`, value);
}
