/**
 * Readers for the fields of a trainer's request. Each returns a value of the expected type or throws a 400 that names the
 * field. Leaves out: what the fields mean.
 */
import { isRecord, type UnknownRecord } from '@cipo/support';
import { badRequest } from '../http/problem.ts';

export function readObject(value: unknown, field: string): UnknownRecord {
  if (!isRecord(value)) throw badRequest(field, 'must be an object', value);
  return value;
}

export function readText(value: unknown, field: string): string {
  if (typeof value !== 'string') throw badRequest(field, 'must be a string', value);
  return value;
}

export function readList(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw badRequest(field, 'must be a list', value);
  return value;
}

export function readTexts(value: unknown, field: string): readonly string[] {
  return readList(value, field).map((item, i) => readText(item, `${field}.${i}`));
}

export function readPositive(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw badRequest(field, 'must be a number above 0', value);
  }
  return value;
}

export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
