/**
 * The wire form of values: what a guest writes, and the same form made from the JSON of a row. Leaves out: comparing,
 * see `compare.ts`.
 *
 * A row writes values that JSON does not have as `{"$type": T, "value": V}`: `undefined`; `number` with `"NaN"`,
 * `"Infinity"`, `"-Infinity"`, `"-0"`; `bigint` with digits; `tuple`, `set` with a list; `map` with a list of pairs;
 * `date` with milliseconds.
 */
import { preview, TaskError } from '../types.ts';

/** A string, a finite number, a boolean, null, or a tagged list. */
export type Wire = string | number | boolean | null | WireList;
/** `[tag, ...rest]`, where `tag` is a key of {@link TAGS}. */
export interface WireList extends ReadonlyArray<Wire> {}

/** Whether a wire value is a tagged list. */
export function isTagged(wire: Wire): wire is WireList {
  return typeof wire === 'object' && wire !== null;
}

/** What the first element of a tagged list means. */
const TAGS = {
  a: 'list',
  t: 'tuple',
  o: 'object',
  m: 'map',
  s: 'set',
  n: 'number',
  b: 'bigint',
  u: 'undefined',
  d: 'date',
  c: 'cycle',
  f: 'function',
  y: 'symbol',
  e: 'error',
  r: 'other',
} as const;

const MAX_DEPTH = 250;

/** Reads the untrusted text of a guest. Returns undefined for anything that is not in wire form. */
export function readWire(text: string): Wire | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isWire(value, 0) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isWire(value: unknown, depth: number): value is Wire {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return true;
  if (!Array.isArray(value) || depth > MAX_DEPTH) return false;
  const [tag, ...rest] = value as unknown[];
  return (
    typeof tag === 'string' &&
    Object.hasOwn(TAGS, tag) &&
    rest.every((item) => isWire(item, depth + 1))
  );
}

/** Converts the JSON value of a row to wire form. @throws {TaskError} on an unknown `$type` */
export function wireOfJson(value: unknown, field = 'expected', depth = 0): Wire {
  if (depth > MAX_DEPTH)
    throw new TaskError(field, `must be nested at most ${MAX_DEPTH} levels deep`, '…');
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return numberWire(value);
  if (value === undefined) return ['u'];
  const inner = (item: unknown, name: string | number) =>
    wireOfJson(item, `${field}.${name}`, depth + 1);
  if (Array.isArray(value)) return ['a', ...value.map(inner)];
  if (typeof value !== 'object') throw new TaskError(field, 'must be a JSON value', value);
  if ('$type' in value) return taggedWire(value as Tagged, field, depth);
  return ['o', ...Object.entries(value).flatMap(([key, item]) => [key, inner(item, key)])];
}

interface Tagged {
  readonly $type: unknown;
  readonly value?: unknown;
}

function taggedWire({ $type, value }: Tagged, field: string, depth: number): Wire {
  const items = () => {
    if (!Array.isArray(value)) throw new TaskError(`${field}.value`, 'must be a list', value);
    return value.map((item, i) => wireOfJson(item, `${field}.value.${i}`, depth + 1));
  };
  switch ($type) {
    case 'undefined':
      return ['u'];
    case 'number':
      return value === '-0' ? ['n', '-0'] : numberWire(Number(value));
    case 'bigint':
      if (typeof value === 'string' && /^-?\d+$/.test(value)) return ['b', value];
      throw new TaskError(`${field}.value`, 'must be a string of digits', value);
    case 'tuple':
      return ['t', ...items()];
    case 'set':
      return ['s', ...items()];
    case 'map':
      return ['m', ...items().flatMap((pair) => (isTagged(pair) ? pair.slice(1, 3) : []))];
    case 'date':
      return ['d', Number(value)];
    default:
      throw new TaskError(
        `${field}.$type`,
        'must be undefined, number, bigint, tuple, set, map or date',
        $type,
      );
  }
}

function numberWire(value: number): Wire {
  if (Number.isFinite(value)) return Object.is(value, -0) ? 0 : value;
  return ['n', String(value)];
}

/** Renders a value for people, in at most `max` UTF-16 code units. */
export function showWire(wire: Wire, max = 200): string {
  const text = show(wire, { left: max * 2 });
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}

function show(wire: Wire, budget: { left: number }): string {
  if (budget.left <= 0) return '…';
  if (!isTagged(wire)) {
    const text = typeof wire === 'string' ? preview(wire, 120) : String(wire);
    budget.left -= text.length + 2;
    return text;
  }
  const [tag, ...rest] = wire;
  const list = () => rest.map((item) => show(item, budget)).join(', ');
  switch (tag) {
    case 'a':
      return `[${list()}]`;
    case 't':
      return `(${list()})`;
    case 's':
      return `Set {${list()}}`;
    case 'o':
      return `{${pairs(rest, budget, ': ')}}`;
    case 'm':
      return `Map {${pairs(rest, budget, ' => ')}}`;
    case 'b':
      return `${String(rest[0])}n`;
    case 'u':
      return 'undefined';
    case 'n':
      return String(rest[0]);
    case 'd':
      return `Date(${show(rest[0] ?? null, budget)})`;
    case 'c':
      return '[Circular]';
    default:
      return `[${[TAGS[tag as keyof typeof TAGS], ...rest.map(String)].join(' ')}]`;
  }
}

function pairs(rest: readonly Wire[], budget: { left: number }, between: string): string {
  const shown: string[] = [];
  for (let i = 0; i + 1 < rest.length && budget.left > 0; i += 2) {
    shown.push(`${show(rest[i]!, budget)}${between}${show(rest[i + 1]!, budget)}`);
  }
  return shown.join(', ');
}
