/**
 * Layers of settings and how they become one: later layers win, groups merge, lists and values replace.
 * Each layer remembers where it came from, so that a problem can point at its line or flag.
 */
import type { KeyPath } from './schema.ts';

/** One source of settings. */
export interface Layer {
  readonly value: Settings;
  /** Where the value at this path was written: `run.yaml:4:3`, `--steps`. */
  locate(path: KeyPath): string;
}

export interface Settings {
  readonly [key: string]: unknown;
}

export function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Deep merge, lowest layer first. Own keys only: a `__proto__` in a file stays an (unknown) key. */
export function merge(values: readonly Settings[]): Settings {
  return values.reduce<Settings>(mergeTwo, {});
}

function mergeTwo(below: Settings, above: Settings): Settings {
  const entries = new Map<string, unknown>(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    const under = entries.get(key);
    entries.set(key, isSettings(value) && isSettings(under) ? mergeTwo(under, value) : value);
  }
  return Object.fromEntries(entries);
}

/** Whether a layer says anything at this path. */
export function says(value: unknown, path: KeyPath): boolean {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = Object.entries(at).find(([name]) => name === String(key))?.[1];
  }
  return true;
}

/** The topmost layer that says something at this path, or on the way to it. */
export function originOf(layers: readonly Layer[], path: KeyPath): string {
  for (let length = path.length; length > 0; length -= 1) {
    const part = path.slice(0, length);
    const layer = layers.findLast((candidate) => says(candidate.value, part));
    if (layer) return layer.locate(part);
  }
  return layers.at(-1)?.locate([]) ?? '';
}

/** `{ a: { b: value } }` from `['a', 'b']`. */
export function nest(path: readonly string[], value: unknown): Settings {
  const [head, ...rest] = path;
  if (head === undefined) throw new RangeError('a key path needs at least one key');
  return Object.fromEntries([[head, rest.length === 0 ? value : nest(rest, value)]]);
}
