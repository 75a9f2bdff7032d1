/**
 * @packageDocumentation Helpers that three or more @cipo packages need. Each is a few lines, pure and without dependencies.
 * Leaves out: everything that knows a task, a verdict or a model.
 */

/** Bytes in one mebibyte. Options named `...Mb` count in this unit. */
export const MIB = 2 ** 20;

/** A JSON object or any other keyed object, but not an array. */
export type UnknownRecord = Readonly<Record<string, unknown>>;

/** Whether `value` is an object with string keys. Arrays and null are not. */
export function isRecord(value: unknown): value is UnknownRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The message of a caught value, whatever was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Arithmetic mean. NaN for an empty list: nothing was measured, which is different from 0. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The items of a list in order, without those whose key occurred before. */
export function uniqueBy<T>(items: readonly T[], keyOf: (item: T) => unknown): T[] {
  const seen = new Set<unknown>();
  return items.filter((item) => {
    const key = keyOf(item);
    return !seen.has(key) && seen.add(key);
  });
}
