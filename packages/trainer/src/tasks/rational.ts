/** Exact small fractions for the arithmetic tasks. Denominators are positive and fractions are in lowest terms. */

/** n / d */
export interface Rational {
  readonly n: number;
  readonly d: number;
}

/** The fraction n / d in lowest terms. @throws {RangeError} if d is 0 */
export function rational(n: number, d = 1): Rational {
  if (d === 0) throw new RangeError('rational: expected a denominator other than 0');
  const divisor = gcd(n, d) * Math.sign(d);
  return { n: n / divisor + 0, d: d / divisor }; // + 0 turns -0 into 0
}

export function add(a: Rational, b: Rational): Rational {
  return rational(a.n * b.d + b.n * a.d, a.d * b.d);
}

export function subtract(a: Rational, b: Rational): Rational {
  return rational(a.n * b.d - b.n * a.d, a.d * b.d);
}

export function multiply(a: Rational, b: Rational): Rational {
  return rational(a.n * b.n, a.d * b.d);
}

/** @throws {RangeError} if b is 0 */
export function divide(a: Rational, b: Rational): Rational {
  return rational(a.n * b.d, a.d * b.n);
}

/** `3`, `-1/2` */
export function formatRational({ n, d }: Rational): string {
  return d === 1 ? `${n}` : `${n}/${d}`;
}

function gcd(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : gcd(b, a % b);
}
