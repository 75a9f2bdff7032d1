/** Small readers that the row layer shares: what a value is, and JSON that keeps whole numbers whole. */
import { TaskError } from '../types.ts';

export type Row = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Absent, null, an empty text or an empty list: a column that says nothing about this row. */
export function isBlank(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === 'string') return value.trim() === '';
  return Array.isArray(value) && value.length === 0;
}

/** An own field; what stands on a prototype is no column. */
export function own(row: Row | undefined, name: string): unknown {
  return row !== undefined && Object.hasOwn(row, name) ? row[name] : undefined;
}

/** The first of the named fields that says something. */
export function firstOf(row: Row | undefined, names: readonly string[]): string | undefined {
  return names.find((name) => !isBlank(own(row, name)));
}

export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === 'string');
}

const LONG_NUMBER = /\d{16}/;

/**
 * JSON text to a value. A whole number that a double cannot hold becomes a BigInt: a rounded reference
 * would be another reference.
 * @throws {SyntaxError}
 */
export function parseJson(text: string): unknown {
  return LONG_NUMBER.test(text) ? JSON.parse(text, keepWhole) : JSON.parse(text);
}

function keepWhole(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** The value of a column that holds JSON as text; anything else as it is. */
export function fromJsonText(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return parseJson(value);
  } catch {
    return value; // a text that only begins like JSON, as LaTeX does
  }
}

/** BigInts as the `$type` objects that code tests read. */
export function typedNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const near = Number(value);
    return Number.isSafeInteger(near) ? near : { $type: 'bigint', value: value.toString() };
  }
  if (Array.isArray(value)) return value.map(typedNumbers);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, typedNumbers(part)]));
}

/** A list with one element, as some exports wrap every value. @throws {TaskError} where there are several */
export function single(value: unknown, field: string, what: string): unknown {
  if (!Array.isArray(value)) return value;
  if (value.length === 1) return value[0];
  throw new TaskError(field, `holds ${value.length} ${what} and a row has one`, value);
}
