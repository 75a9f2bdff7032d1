/**
 * Reads the fields of a trainer's request: each is what it must be or a 400 that names it. Leaves out:
 * what the fields mean.
 */
import { badRequest } from '../http/problem.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function object(value: unknown, field: string): Fields {
  if (!isRecord(value)) throw badRequest(field, 'must be an object', value);
  return value;
}

export function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw badRequest(field, 'must be text', value);
  return value;
}

export function list(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw badRequest(field, 'must be a list', value);
  return value;
}

export function texts(value: unknown, field: string): readonly string[] {
  return list(value, field).map((item, i) => text(item, `${field}.${i}`));
}

/** A number above zero. */
export function positive(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw badRequest(field, 'must be a number above 0', value);
  }
  return value;
}

export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
