/**
 * Compares an expected and an actual value by structure, outside the guest, and returns the first difference with its
 * path. Leaves out: tests and verdicts.
 *
 * Rules: integers must be equal, other numbers equal within a tolerance; `0` accepts `-0` unless the row says `-0`; NaN
 * equals NaN; a list in the row accepts a tuple; the order of keys, of a map and of a set does not matter; a field that
 * is `undefined` equals an absent one; an object in the row, whose keys JSON writes as strings, accepts a map with keys
 * of the same text.
 */
import { isTagged, showWire, type Wire, type WireList } from './value.ts';

/** Two numbers are equal if they differ by at most the larger of the two bounds. */
export interface Tolerance {
  /** Share of the larger number. */
  readonly relative: number;
  readonly absolute: number;
}

/** For fractions in `call` tests: accepts rounding errors and no incorrect digit. */
export const DEFAULT_TOLERANCE: Tolerance = { relative: 1e-9, absolute: 1e-12 };

/** Largest difference from an expected integer under the default tolerance. */
const INTEGER_SLACK = 1e-6;

/** How values are compared. */
export interface Rules {
  readonly tolerance: Tolerance;
  /** Whether integers of any size and other numbers are one type, as in Python. */
  readonly oneNumberType: boolean;
}

/** The first place at which two values differ. `path` is like `[2].name`, and empty at the top. */
export interface Difference {
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
}

/** The first difference between two values, undefined if they are equal. */
export function firstDifference(
  expected: Wire,
  actual: Wire,
  rules: Rules,
  path = '',
): Difference | undefined {
  const unequal = () => ({ path, expected: showWire(expected), actual: showWire(actual) });
  const a = tagged(expected);
  const b = tagged(actual);
  if (isNumeric(expected) && isNumeric(actual)) {
    return isSameNumber(expected, actual, rules) ? undefined : unequal();
  }
  if (!a || !b) return expected === actual ? undefined : unequal();
  if (isList(a) && isList(b)) {
    return a[0] === 't' && b[0] === 'a' ? unequal() : listDifference(a, b, rules, path);
  }
  if (a[0] === 'o' && b[0] === 'o') return fieldDifference(a, b, rules, path);
  if (isKeyed(a) && b[0] === 'm') return mapDifference(a, b, rules, path);
  if (a[0] === 's' && b[0] === 's') return setDifference(a, b, path);
  if (a[0] !== b[0] || a.length !== b.length) return unequal();
  return a.every((item, i) => i === 0 || firstDifference(item, b[i]!, rules) === undefined)
    ? undefined
    : unequal();
}

function tagged(wire: Wire): WireList | undefined {
  return isTagged(wire) ? wire : undefined;
}

function isList(wire: WireList): boolean {
  return wire[0] === 'a' || wire[0] === 't';
}

function isKeyed(wire: WireList): boolean {
  return wire[0] === 'o' || wire[0] === 'm';
}

function isNumeric(wire: Wire): boolean {
  return typeof wire === 'number' || (isTagged(wire) && (wire[0] === 'n' || wire[0] === 'b'));
}

function isSameNumber(expected: Wire, actual: Wire, rules: Rules): boolean {
  const big = bigOf(expected) !== undefined;
  if (big !== (bigOf(actual) !== undefined)) {
    return rules.oneNumberType && integerOf(expected) === integerOf(actual);
  }
  if (big) return bigOf(expected) === bigOf(actual);
  const a = numberOf(expected);
  const b = numberOf(actual);
  if (Object.is(a, -0)) return Object.is(b, -0);
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  // A share of infinity is infinite and would accept every number.
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  if (Number.isInteger(a) && Number.isInteger(b)) return false;
  const { relative, absolute } = rules.tolerance;
  const near = Math.max(absolute, relative * Math.max(Math.abs(a), Math.abs(b)));
  // A large expected integer must not accept a fraction that is close to it.
  const byDefault = rules.tolerance === DEFAULT_TOLERANCE && Number.isInteger(a);
  return Math.abs(a - b) <= (byDefault ? Math.min(near, INTEGER_SLACK) : near);
}

/** The digits of a bigint without leading zeros. As text: parsing a million digits takes more than a second. */
function bigOf(wire: Wire): string | undefined {
  if (!isTagged(wire) || wire[0] !== 'b') return undefined;
  const digits = String(wire[1]).replace(/^(-?)0+(?=\d)/, '$1');
  return digits === '-0' ? '0' : digits;
}

function integerOf(wire: Wire): string | number {
  const value = numberOf(wire);
  return bigOf(wire) ?? (Number.isInteger(value) ? BigInt(value).toString() : value);
}

function numberOf(wire: Wire): number {
  return typeof wire === 'number' ? wire : Number(isTagged(wire) ? wire[1] : wire);
}

function listDifference(
  a: WireList,
  b: WireList,
  rules: Rules,
  path: string,
): Difference | undefined {
  const shorter = Math.min(a.length, b.length);
  for (let i = 1; i < shorter; i++) {
    const found = firstDifference(a[i]!, b[i]!, rules, `${path}[${i - 1}]`);
    if (found) return found;
  }
  if (a.length === b.length) return undefined;
  const count = (wire: WireList) => `${wire.length - 1} elements: ${showWire(wire as Wire, 160)}`;
  return { path: `${path}.length`, expected: count(a), actual: count(b) };
}

function fieldDifference(
  a: WireList,
  b: WireList,
  rules: Rules,
  path: string,
): Difference | undefined {
  const left = fields(a);
  const right = fields(b);
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const at = `${path}${fieldPath(key)}`;
    const found = firstDifference(wireAt(left, key), wireAt(right, key), rules, at);
    if (found) return found;
  }
  return undefined;
}

function fieldPath(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** An absent field counts as `undefined`. A field that is `null` does not. */
function wireAt(map: ReadonlyMap<string, Wire>, key: string): Wire {
  return map.get(key) ?? (map.has(key) ? null : ['u']);
}

/** Values by key. A later value replaces an earlier one, as in the guest. */
function fields(wire: WireList): Map<string, Wire> {
  const map = new Map<string, Wire>();
  for (let i = 1; i + 1 < wire.length; i += 2) map.set(String(wire[i]), wire[i + 1]!);
  return map;
}

function mapDifference(
  a: WireList,
  b: WireList,
  rules: Rules,
  path: string,
): Difference | undefined {
  const byText = a[0] === 'o';
  const keyText = (key: Wire) =>
    byText && typeof key !== 'string' ? plainKey(key) : canonical(key);
  const right = new Map<string, Wire>();
  for (let i = 1; i + 1 < b.length; i += 2) right.set(keyText(b[i]!), b[i + 1]!);
  for (let i = 1; i + 1 < a.length; i += 2) {
    const key = keyText(a[i]!);
    const at = `${path}[${showWire(a[i]!, 60)}]`;
    const found = firstDifference(a[i + 1]!, wireAt(right, key), rules, at);
    if (found) return found;
    right.delete(key);
  }
  const [extra] = right;
  if (extra === undefined) return undefined;
  return {
    path: `${path}[${extra[0].slice(0, 60)}]`,
    expected: 'undefined',
    actual: showWire(extra[1]),
  };
}

/** The text of a key that JSON can only write as a string: 1 as "1", True as "True" or "true". */
function plainKey(key: Wire): string {
  return canonical(isTagged(key) ? showWire(key) : String(key));
}

function setDifference(a: WireList, b: WireList, path: string): Difference | undefined {
  const missing = firstOutside(a, b);
  if (missing !== undefined) {
    return { path, expected: `with ${showWire(missing)}`, actual: showWire(b) };
  }
  const extra = firstOutside(b, a);
  if (extra === undefined) return undefined;
  return { path, expected: showWire(a), actual: `with ${showWire(extra)}` };
}

function firstOutside(items: WireList, of: WireList): Wire | undefined {
  const known = new Set(of.slice(1).map((item) => canonical(item)));
  return items.slice(1).find((item) => !known.has(canonical(item)));
}

/** One text for equal values, whatever the order in sets, maps and objects. Lists and tuples have the same text. */
function canonical(wire: Wire): string {
  if (!isTagged(wire)) return JSON.stringify(wire);
  const [tag, ...rest] = wire;
  if (tag === 's')
    return `s(${rest
      .map((item) => canonical(item))
      .sort()
      .join()})`;
  if (tag === 'o' || tag === 'm') {
    const entries: string[] = [];
    for (let i = 0; i + 1 < rest.length; i += 2) {
      entries.push(`${canonical(rest[i]!)}:${canonical(rest[i + 1]!)}`);
    }
    return `m(${entries.sort().join()})`;
  }
  return `${tag === 't' ? 'a' : tag}(${rest.map((item) => canonical(item)).join()})`;
}
