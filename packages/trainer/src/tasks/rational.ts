/** Exact small fractions for the arithmetic generator. Denominators are positive, terms lowest. */

export interface Rational {
  readonly n: number;
  readonly d: number;
}

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/** @throws {RangeError} on a zero denominator. */
export function rational(n: number, d = 1): Rational {
  if (d === 0) throw new RangeError('rational: zero denominator');
  const g = gcd(n, d) * Math.sign(d);
  return { n: n / g + 0, d: d / g };
}

export const add = (a: Rational, b: Rational) => rational(a.n * b.d + b.n * a.d, a.d * b.d);
export const subtract = (a: Rational, b: Rational) => rational(a.n * b.d - b.n * a.d, a.d * b.d);
export const multiply = (a: Rational, b: Rational) => rational(a.n * b.n, a.d * b.d);
export const divide = (a: Rational, b: Rational) => rational(a.n * b.d, a.d * b.n);
export const show = (a: Rational) => (a.d === 1 ? `${a.n}` : `${a.n}/${a.d}`);
