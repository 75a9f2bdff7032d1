/**
 * Compares trees by their values at fixed pseudo-random places: doubles to find a difference, 72-digit decimals to confirm
 * equality. "Different" needs one place whose difference far exceeds both error bounds; "equal" needs agreement to at
 * least 50 digits; otherwise the result is undefined.
 */
import { type Node, some, symbols } from '../node.ts';
import { type Complex, ComplexField, Undetermined } from './complex.ts';
import { type Budget, Exhausted, evaluate } from './evaluate.ts';
import { exactValue } from './exact.ts';
import { fromDecimal, type Rational, ratio } from './rational.ts';
import { decimals, doubles } from './real.ts';

const DOUBLE = new ComplexField(doubles);
const PRECISE = new ComplexField(decimals);
/** Places that are tried for expressions with symbols, and how many must have a value on both sides. */
const PLACES = 8;
const NEEDED = 4;
const PRECISE_PLACES = 2;
/** Smallest absolute difference between expressions with symbols that a confirmation must detect. */
const RESOLUTION = 1e-30;
/** Node visits of one comparison. Each budget takes about 20 ms. */
const DOUBLE_BUDGET = 60_000;
const PRECISE_BUDGET = 4_000;

type Comparison = 'equal' | 'different' | undefined;
export interface Probed {
  readonly result: Comparison;
  readonly stage: 'probing' | 'high-precision';
}

/** Compares two scalar trees. */
export function probe(a: Node, b: Node): Probed {
  const names = [...new Set([...symbols(a), ...symbols(b)])].sort();
  const whole = needsWholeNumbers(a, names) || needsWholeNumbers(b, names);
  const complex = hasI(a) || hasI(b);
  const coarse = scan(a, b, names, DOUBLE, {
    whole,
    complex,
    limit: PLACES,
    digits: 6,
    budget: { left: DOUBLE_BUDGET },
  });
  if (coarse === 'different') return { result: 'different', stage: 'probing' };
  const fine = scan(a, b, names, PRECISE, {
    whole,
    complex,
    limit: PRECISE_PLACES,
    digits: 50,
    budget: { left: PRECISE_BUDGET },
  });
  return { result: fine, stage: 'high-precision' };
}

function hasI(node: Node): boolean {
  return some(node, (n) => n.k === 'const' && n.name === 'i');
}

/** Factorials, binomials, sums and powers of -1 in a symbol are only defined at integers. */
function needsWholeNumbers(node: Node, names: readonly string[]): boolean {
  if (names.length === 0) return false;
  return some(node, (n) => {
    if (n.k === 'fold') return symbols(n).length > 0;
    if (n.k === 'fn') {
      return /^(factorial2?|binom|mod|gcd|lcm)$/.test(n.name) && symbols(n).length > 0;
    }
    return n.k === 'pow' && isNegative(n.base) && symbols(n.exp).length > 0;
  });
}

function isNegative(node: Node): boolean {
  return node.k === 'neg' || (node.k === 'num' && node.value.n < 0n);
}

interface Scan {
  readonly whole: boolean;
  readonly complex: boolean;
  readonly limit: number;
  /** Decimal digits to which both sides must agree. */
  readonly digits: number;
  readonly budget: Budget;
}

function scan<T>(
  a: Node,
  b: Node,
  names: readonly string[],
  f: ComplexField<T>,
  s: Scan,
): Comparison {
  const constants = names.length === 0;
  let agreed = 0;
  let unreal = 0;
  for (let k = 0; k < (constants ? 1 : PLACES * 2) && agreed < s.limit; k++) {
    const at = new Map(names.map((name, j) => [name, f.rational(place(k, j, s.whole))]));
    const pair = evaluatePair(a, b, at, f, s.budget);
    if (pair === 'exhausted') return undefined;
    if (!pair) continue;
    const real = f.isReal(pair[0]) && f.isReal(pair[1]);
    if (!real && !s.complex && !constants && unreal++ < PLACES) continue;
    const result = comparePair(pair[0], pair[1], f, s.digits, !constants);
    if (result === 'different') return 'different';
    if (result === 'equal') agreed++;
  }
  return agreed >= (constants ? 1 : Math.min(NEEDED, s.limit)) ? 'equal' : undefined;
}

function evaluatePair<T>(
  a: Node,
  b: Node,
  at: ReadonlyMap<string, Complex<T>>,
  f: ComplexField<T>,
  budget: Budget,
): [Complex<T>, Complex<T>] | 'exhausted' | undefined {
  try {
    return [evaluate(a, { f, at, budget }), evaluate(b, { f, at, budget })];
  } catch (error) {
    if (error instanceof Exhausted) return 'exhausted';
    if (error instanceof Undetermined) return undefined;
    throw error;
  }
}

function comparePair<T>(
  a: Complex<T>,
  b: Complex<T>,
  f: ComplexField<T>,
  digits: number,
  symbolic: boolean,
): Comparison {
  const r = f.r;
  const difference = r.add(r.abs(r.sub(a.re, b.re)), r.abs(r.sub(a.im, b.im)));
  const bound = r.mul(r.number(16), r.add(a.err, b.err));
  const size = r.add(f.size(a), f.size(b));
  const agreement = r.mul(size, r.number(10 ** -digits));
  if (r.less(bound, difference)) {
    // The difference exceeds the bound but is too small for this precision: the finer scan decides.
    return digits < 50 && r.less(difference, agreement) ? undefined : 'different';
  }
  // With huge values, 72 digits do not reach a small added term: such a place proves nothing.
  if (symbolic && digits >= 50 && r.less(r.number(RESOLUTION), bound)) return undefined;
  if (!r.less(agreement, bound)) return 'equal';
  return r.less(bound, r.number(10 ** -digits)) && r.less(size, bound) ? 'equal' : undefined;
}

/** A place as a rational, the same at both precisions. Half of them are positive. `whole`: small integers. */
function place(k: number, j: number, whole: boolean): Rational {
  const h = mix(k * 131 + j * 7919 + 17);
  if (whole) return ratio(BigInt(1 + ((h + k) % 11)), 1n);
  const magnitude = 211 + (h % 2593);
  const negative = k % 2 === 1 && (h >> 13) % 2 === 1;
  return ratio(BigInt(negative ? -magnitude : magnitude), 1009n);
}

function mix(seed: number): number {
  let h = seed | 0;
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The real value of a constant tree as a double, for ordering. @returns undefined if it has none */
export function realValue(node: Node): number | undefined {
  if (node.k === 'const' && node.name === 'infinity') return Number.POSITIVE_INFINITY;
  if (node.k === 'neg' && node.arg.k === 'const' && node.arg.name === 'infinity') {
    return Number.NEGATIVE_INFINITY;
  }
  try {
    const z = evaluate(node, { f: DOUBLE, at: new Map(), budget: { left: DOUBLE_BUDGET } });
    return DOUBLE.isReal(z) ? z.re : undefined;
  } catch (error) {
    if (error instanceof Undetermined) return undefined;
    throw error;
  }
}

/** The real value of a constant tree as a rational, exact to 55 digits. @returns undefined if it has none */
export function preciseValue(node: Node): Rational | undefined {
  try {
    const z = evaluate(node, { f: PRECISE, at: new Map(), budget: { left: PRECISE_BUDGET } });
    if (!PRECISE.isReal(z) || z.err.greaterThan(z.re.abs().times(1e-55).plus(1e-55))) {
      return undefined;
    }
    return Math.abs(z.re.e) > 400
      ? undefined
      : fromDecimal(z.re.abs().toFixed(70), z.re.isNegative());
  } catch (error) {
    if (error instanceof Undetermined) return undefined;
    throw error;
  }
}

/** Whether the tree has a value in doubles at any of the places. */
export function hasValue(node: Node): boolean {
  const names = symbols(node);
  const whole = needsWholeNumbers(node, names);
  const budget = { left: DOUBLE_BUDGET };
  for (let k = 0; k < PLACES; k++) {
    const at = new Map(names.map((name, j) => [name, DOUBLE.rational(place(k, j, whole))]));
    const pair = evaluatePair(node, node, at, DOUBLE, budget);
    if (pair === 'exhausted') return false;
    if (pair) return true;
  }
  return exactValue(node) !== undefined;
}
