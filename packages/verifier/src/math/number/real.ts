/**
 * Two kinds of real arithmetic behind one interface: doubles for probing and 72-digit decimals for confirmation.
 * complex.ts is written once over it. Leaves out: error bounds (complex.ts).
 */
import { Decimal as Base } from 'decimal.js';
import { bitLength, type Rational, toNumber } from './rational.ts';

export interface Real<T> {
  /** Relative rounding error of one operation. */
  readonly epsilon: number;
  readonly zero: T;
  readonly one: T;
  readonly pi: T;
  from(q: Rational): T;
  number(x: number): T;
  toNumber(x: T): number;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  neg(a: T): T;
  abs(a: T): T;
  less(a: T, b: T): boolean;
  isZero(a: T): boolean;
  isFinite(a: T): boolean;
  round(a: T): T;
  floor(a: T): T;
  sqrt(a: T): T;
  exp(a: T): T;
  ln(a: T): T;
  sin(a: T): T;
  cos(a: T): T;
  atan(a: T): T;
}

export const doubles: Real<number> = {
  epsilon: 2 ** -52,
  zero: 0,
  one: 1,
  pi: Math.PI,
  from: toNumber,
  number: (x) => x,
  toNumber: (x) => x,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  neg: (a) => -a,
  abs: Math.abs,
  less: (a, b) => a < b,
  isZero: (a) => a === 0,
  isFinite: Number.isFinite,
  round: Math.round,
  floor: Math.floor,
  sqrt: Math.sqrt,
  exp: Math.exp,
  ln: Math.log,
  sin: Math.sin,
  cos: Math.cos,
  atan: Math.atan,
};

/** 72 digits. The limit on exponents turns huge powers into infinity immediately. */
const Big = Base.clone({
  precision: 72,
  maxE: 1_000_000,
  minE: -1_000_000,
  modulo: Base.ROUND_HALF_EVEN,
});
const PI = Big.acos(-1);

/** Uses only the leading bits of a huge integer, because conversion to decimal takes quadratic time. */
function bigFrom(n: bigint): Base {
  const excess = bitLength(n) - 512;
  if (excess <= 0) return new Big(n.toString());
  return new Big((n >> BigInt(excess)).toString()).times(new Big(2).pow(excess));
}

export const decimals: Real<Base> = {
  epsilon: 1e-70,
  zero: new Big(0),
  one: new Big(1),
  pi: PI,
  from: (q) => bigFrom(q.n).div(bigFrom(q.d)),
  number: (x) => new Big(x),
  toNumber: (x) => x.toNumber(),
  add: (a, b) => a.plus(b),
  sub: (a, b) => a.minus(b),
  mul: (a, b) => a.times(b),
  div: (a, b) => a.div(b),
  neg: (a) => a.neg(),
  abs: (a) => a.abs(),
  less: (a, b) => a.lessThan(b),
  isZero: (a) => a.isZero(),
  isFinite: (a) => a.isFinite(),
  round: (a) => a.round(),
  floor: (a) => a.floor(),
  sqrt: (a) => a.sqrt(),
  exp: (a) => a.exp(),
  ln: (a) => a.ln(),
  sin: (a) => a.sin(),
  cos: (a) => a.cos(),
  atan: (a) => a.atan(),
};
