/**
 * Exact rationals over BigInt, always reduced, with a positive denominator.
 * Leaves out: limits on size. Callers estimate bits first, see exact.ts.
 */

export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}

export const ZERO: Rational = { n: 0n, d: 1n };
export const ONE: Rational = { n: 1n, d: 1n };

/** The greatest common divisor, not negative. */
export function gcd(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** n/d in lowest terms. @throws {RangeError} if d is zero */
export function ratio(n: bigint, d: bigint = 1n): Rational {
  if (d === 1n) return { n, d };
  if (d === 0n) throw new RangeError('division by zero');
  const g = gcd(n, d) * (d < 0n ? -1n : 1n);
  return { n: n / g, d: d / g };
}

export function integer(n: number | bigint): Rational {
  return { n: BigInt(n), d: 1n };
}

/** Reads `12`, `12.50`, `.5`, `1.5e-3`. The caller must check the characters and the size of the exponent. */
export function fromDecimal(text: string, negative = false): Rational {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', part = ''] = mantissa.split('.');
  const shift = Number(exponent) - part.length;
  const digits = BigInt(`${negative ? '-' : ''}${whole}${part}` || '0');
  return shift >= 0 ? ratio(digits * 10n ** BigInt(shift)) : ratio(digits, 10n ** BigInt(-shift));
}

export function add(a: Rational, b: Rational): Rational {
  return a.d === 1n && b.d === 1n
    ? { n: a.n + b.n, d: 1n }
    : ratio(a.n * b.d + b.n * a.d, a.d * b.d);
}

export function negate(a: Rational): Rational {
  return { n: -a.n, d: a.d };
}

export function subtract(a: Rational, b: Rational): Rational {
  return add(a, negate(b));
}

export function multiply(a: Rational, b: Rational): Rational {
  return ratio(a.n * b.n, a.d * b.d);
}

/** @throws {RangeError} if b is zero */
export function divide(a: Rational, b: Rational): Rational {
  return ratio(a.n * b.d, a.d * b.n);
}

export function equals(a: Rational, b: Rational): boolean {
  return a.n === b.n && a.d === b.d;
}

export function sign(a: Rational): number {
  return a.n > 0n ? 1 : a.n < 0n ? -1 : 0;
}

export function compare(a: Rational, b: Rational): number {
  return sign(subtract(a, b));
}

export function absolute(a: Rational): Rational {
  return a.n < 0n ? negate(a) : a;
}

/** The largest integer <= a. */
export function floor(a: Rational): bigint {
  const q = a.n / a.d;
  return a.n < 0n && q * a.d !== a.n ? q - 1n : q;
}

/** a^k for an integer k. @throws {RangeError} for 0 to a negative power */
export function power(a: Rational, k: bigint): Rational {
  if (k >= 0n) return { n: a.n ** k, d: a.d ** k };
  return ratio(a.d ** -k, a.n ** -k);
}

/** An upper bound of the bits of numerator and denominator together. */
export function bits(a: Rational): number {
  return bitLength(a.n) + bitLength(a.d);
}

/** Bits of |n|, within 4. */
export function bitLength(n: bigint): number {
  const size = n < 0n ? -n : n;
  if (size < 2n ** 53n) return size === 0n ? 1 : Math.floor(Math.log2(Number(size))) + 1;
  return size.toString(16).length * 4;
}

/** The exact k-th root if it is rational, else undefined. k >= 2. */
export function rationalRoot(a: Rational, k: number): Rational | undefined {
  if (a.n < 0n) {
    if (k % 2 === 0) return undefined;
    const root = rationalRoot(negate(a), k);
    return root && negate(root);
  }
  const n = integerRoot(a.n, BigInt(k));
  const d = n === undefined ? undefined : integerRoot(a.d, BigInt(k));
  return n === undefined || d === undefined ? undefined : { n, d };
}

/** The exact k-th root of n >= 0 by Newton's iteration from above; undefined if n is not a k-th power. */
function integerRoot(n: bigint, k: bigint): bigint | undefined {
  if (n < 2n) return n;
  if (k > BigInt(bitLength(n))) return undefined;
  let x = 1n << (BigInt(bitLength(n)) / k + 1n);
  for (;;) {
    const next = ((k - 1n) * x + n / x ** (k - 1n)) / k;
    if (next >= x) break;
    x = next;
  }
  return x ** k === n ? x : undefined;
}

/** The nearest double, within one unit of its last place. Numerator and denominator may exceed the range of doubles. */
export function toNumber(a: Rational): number {
  if (a.d === 1n || (a.n < SAFE && a.n > -SAFE && a.d < SAFE)) return Number(a.n) / Number(a.d);
  const shift = 64 - (bitLength(a.n) - bitLength(a.d));
  const quotient = shift >= 0 ? (a.n << BigInt(shift)) / a.d : a.n / (a.d << BigInt(-shift));
  const half = Math.trunc(-shift / 2);
  return Number(quotient) * 2 ** half * 2 ** (-shift - half);
}

const SAFE = 1n << 53n;

/** `3` or `-1/2`, for messages. */
export function formatRational(a: Rational): string {
  return a.d === 1n ? `${a.n}` : `${a.n}/${a.d}`;
}
