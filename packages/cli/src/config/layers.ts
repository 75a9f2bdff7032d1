/**
 * Layers of settings and their merge: later layers override earlier ones, groups merge, lists and values replace.
 * Each layer knows its origin, so that an error can name the line or the flag.
 */
import { isRecord, type UnknownRecord } from '@cipo/support';
import type { KeyPath } from './schema.ts';

/** One source of settings. */
export interface Layer {
  readonly value: Settings;
  /** The origin of the value at this path: `run.yaml:4:3`, `--steps`. */
  locate(path: KeyPath): string;
}

/** Keys and values as written, before the schema checks them. */
export type Settings = UnknownRecord;

/** Deep merge, lowest layer first. Only own keys are merged: a `__proto__` in a file stays an (unknown) key. */
export function merge(values: readonly Settings[]): Settings {
  return values.reduce<Settings>(mergeTwo, {});
}

function mergeTwo(below: Settings, above: Settings): Settings {
  const entries = new Map<string, unknown>(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    const under = entries.get(key);
    entries.set(key, isRecord(value) && isRecord(under) ? mergeTwo(under, value) : value);
  }
  return Object.fromEntries(entries);
}

/** Whether a value has own keys along this path. */
export function hasPath(value: unknown, path: KeyPath): boolean {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = Object.entries(at).find(([name]) => name === String(key))?.[1];
  }
  return true;
}

/** The origin in the topmost layer that sets this path or a group around it. */
export function originOf(layers: readonly Layer[], path: KeyPath): string {
  for (let length = path.length; length > 0; length -= 1) {
    const part = path.slice(0, length);
    const layer = layers.findLast((candidate) => hasPath(candidate.value, part));
    if (layer) return layer.locate(part);
  }
  return layers.at(-1)?.locate([]) ?? '';
}

/** `{ a: { b: value } }` from `['a', 'b']`. */
export function nest(path: readonly string[], value: unknown): Settings {
  const [head, ...rest] = path;
  if (head === undefined) throw new RangeError('expected at least one key, got an empty path');
  return Object.fromEntries([[head, rest.length === 0 ? value : nest(rest, value)]]);
}

/** Every value of nested settings with its path: `[['rollout.prompts', 32], ...]`. */
export function flattenSettings(value: Settings, prefix = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([key, child]): [string, unknown][] =>
    isRecord(child) ? flattenSettings(child, `${prefix}${key}.`) : [[`${prefix}${key}`, child]],
  );
}
