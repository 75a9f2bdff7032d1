/** Serializes a row verdict as one line of JSON that is safe to print anywhere. */
import { errorMessage } from '@cipo/support';
import { infraRow, type RowVerdict } from './judge.ts';

/** Characters that JSON does not escape and that a terminal may act on: C1 controls, bidi and zero-width marks. */
const UNSAFE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * A row verdict as one line of JSON, without a line break at its end. Bigints become strings.
 *
 * @returns Never throws: a verdict that cannot be serialized becomes an `infra_error` with the same id.
 */
export function verdictLine(verdict: RowVerdict): string {
  try {
    return escapeUnsafe(JSON.stringify(verdict, replaceBigint));
  } catch (error) {
    const reason = `the verdict cannot be written as JSON: ${errorMessage(error)}`;
    return escapeUnsafe(JSON.stringify(infraRow(verdict.id, reason)));
  }
}

function replaceBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function escapeUnsafe(json: string): string {
  return json.replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
