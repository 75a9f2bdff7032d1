/**
 * Readers for the fields of a row. Each returns the value in its type or throws a {@link TaskError} that names the
 * field.
 */
import { isRecord } from '@cipo/support';
import { TaskError } from '../types.ts';

/** The fields of a row or of an object in it. */
export type Fields = Readonly<Record<string, unknown>>;

export function object(value: unknown, field: string): Fields {
  if (!isRecord(value)) throw new TaskError(field, 'must be an object', value);
  return value;
}

export function list(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new TaskError(field, 'must be a list', value);
  return value;
}

export function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw new TaskError(field, 'must be a string', value);
  return value;
}

export function optionalText(value: unknown, field: string): string | undefined {
  return value === undefined || value === null ? undefined : text(value, field);
}

export function optionalFlag(value: unknown, field: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw new TaskError(field, 'must be true or false', value);
  return value;
}

export function optionalNumber(value: unknown, field: string, least: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < least) {
    throw new TaskError(field, `must be a number, at least ${least}`, value);
  }
  return value;
}
