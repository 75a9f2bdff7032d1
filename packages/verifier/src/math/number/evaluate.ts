/**
 * Evaluates a scalar tree for given values of its symbols, in either precision.
 * Every visit of a node counts against a budget, which bounds nested sums.
 */
import type { Node, NodeOf } from '../node.ts';
import { type Complex, type ComplexField, Undetermined } from './complex.ts';
import { exactValue, MAX_TERMS } from './exact.ts';
import { divide, integer, type Rational } from './rational.ts';

export interface Evaluation<T> {
  readonly f: ComplexField<T>;
  readonly at: ReadonlyMap<string, Complex<T>>;
  /** Shared by all evaluations of one comparison. */
  readonly budget: Budget;
}

export interface Budget {
  left: number;
}

/** Thrown if the comparison has used up its budget. No further place is tried. */
export class Exhausted extends Undetermined {}

/** Node visits that a function call counts as. */
const CALL_COST = 10;

function spend<T>(e: Evaluation<T>, cost: number): void {
  e.budget.left -= cost;
  if (e.budget.left < 0) throw new Exhausted('out of budget');
}

/** @throws {Undetermined} if the tree has no value there @throws {Exhausted} if the budget is used up */
export function evaluate<T>(node: Node, e: Evaluation<T>): Complex<T> {
  spend(e, 1);
  switch (node.k) {
    case 'num':
      return e.f.rational(node.value);
    case 'const':
      return constant(node.name, e);
    case 'sym':
      return symbol(node.name, e);
    case 'neg':
      return e.f.neg(evaluate(node.arg, e));
    case 'add':
      return node.args.map((a) => evaluate(a, e)).reduce((a, b) => e.f.add(a, b));
    case 'mul':
      return node.args.map((a) => evaluate(a, e)).reduce((a, b) => e.f.mul(a, b));
    case 'div':
      return e.f.div(evaluate(node.num, e), evaluate(node.den, e));
    case 'mixed':
      return e.f.add(evaluate(node.whole, e), evaluate(node.part, e));
    case 'percent':
      return e.f.mul(evaluate(node.arg, e), e.f.rational({ n: 1n, d: 100n }));
    case 'pow':
      return power(node, e);
    case 'fn':
      return call(node, e);
    case 'fold':
      return fold(node, e);
    case 'quantity':
      return angle(node, e);
    default:
      throw new Undetermined(`no value for ${node.k}`);
  }
}

function constant<T>(name: string, e: Evaluation<T>): Complex<T> {
  if (name === 'pi') return e.f.pi;
  if (name === 'e') return e.f.exp(e.f.one);
  if (name === 'i') return e.f.i;
  throw new Undetermined(name);
}

/** Degrees inside an expression are converted to radians. No other unit has a value. */
function angle<T>(node: NodeOf<'quantity'>, e: Evaluation<T>): Complex<T> {
  if (node.unit.dimensions.angle !== 1) throw new Undetermined('a unit inside an expression');
  const degree = e.f.mul(e.f.pi, e.f.rational(divide(node.unit.factor, integer(180))));
  return e.f.mul(evaluate(node.arg, e), degree);
}

function symbol<T>(name: string, e: Evaluation<T>): Complex<T> {
  const z = e.at.get(name);
  if (!z) throw new Undetermined(`no place for ${name}`);
  return z;
}

/** Integer exponents by squaring, odd roots of negative reals as reals, everything else by exp and ln. */
function power<T>(node: NodeOf<'pow'>, e: Evaluation<T>): Complex<T> {
  spend(e, 2);
  const base = e.f.snap(evaluate(node.base, e));
  const q = exactValue(node.exp);
  if (q && q.d === 1n && q.n <= 512n && q.n >= -512n) return e.f.integerPower(base, Number(q.n));
  if (q && isOdd(q.d) && e.f.r.isZero(base.im) && e.f.r.less(base.re, e.f.r.zero)) {
    const size = e.f.power(e.f.neg(base), e.f.rational(q));
    return isOdd(q.n) ? e.f.neg(size) : size;
  }
  if (q && q.d === 2n && q.n === 1n) return e.f.sqrt(base);
  spend(e, 2 * CALL_COST);
  if (node.base.k === 'const' && node.base.name === 'e') return e.f.exp(evaluate(node.exp, e));
  return wholePower(base, evaluate(node.exp, e), e);
}

/** Exponents that are integers at this place, such as n in (-1)^n. */
function wholePower<T>(base: Complex<T>, exp: Complex<T>, e: Evaluation<T>): Complex<T> {
  const k =
    e.f.isReal(exp) && e.f.r.isZero(e.f.r.sub(exp.re, e.f.r.round(exp.re)))
      ? e.f.r.toNumber(exp.re)
      : undefined;
  if (k !== undefined && Math.abs(k) <= 512) return e.f.integerPower(base, k);
  return e.f.power(base, exp);
}

function isOdd(n: bigint): boolean {
  return n % 2n !== 0n;
}

function call<T>(node: NodeOf<'fn'>, e: Evaluation<T>): Complex<T> {
  const f = FUNCTIONS[node.name];
  if (!f) throw new Undetermined(`no value for ${node.name}`);
  spend(e, CALL_COST);
  const args = node.args.map((a) => evaluate(a, e));
  if (args.length === 0) throw new Undetermined('no argument');
  return (f as Call)(e.f, args[0]!, args[1], args);
}

type Call = <T>(
  f: ComplexField<T>,
  a: Complex<T>,
  b: Complex<T> | undefined,
  all: readonly Complex<T>[],
) => Complex<T>;

const FUNCTIONS: Readonly<Record<string, Call>> = {
  sqrt: (f, a) => f.sqrt(a),
  cbrt: (f, a) => root(f, a, 3n),
  root: (f, a, n) => root(f, a, whole(f, n)),
  exp: (f, a) => f.exp(a),
  ln: (f, a) => f.ln(a),
  lg: (f, a) => f.div(f.ln(a), f.ln(f.rational(integer(10)))),
  log: (f, a, b) => (b ? f.div(f.ln(a), f.ln(b)) : f.ln(a)),
  sin: (f, a) => f.sin(a),
  cos: (f, a) => f.cos(a),
  tan: (f, a) => f.div(f.sin(a), f.cos(a)),
  cot: (f, a) => f.div(f.cos(a), f.sin(a)),
  sec: (f, a) => f.inverse(f.cos(a)),
  csc: (f, a) => f.inverse(f.sin(a)),
  asin: (f, a) => f.asin(a),
  acos: (f, a) => f.add(halfPi(f), f.neg(f.asin(a))),
  atan: (f, a) => f.atan(a),
  acot: (f, a) => f.add(halfPi(f), f.neg(f.atan(a))),
  asec: (f, a) => f.add(halfPi(f), f.neg(f.asin(f.inverse(a)))),
  acsc: (f, a) => f.asin(f.inverse(a)),
  sinh: (f, a) => f.mul(half(f), f.add(f.exp(a), f.neg(f.exp(f.neg(a))))),
  cosh: (f, a) => f.mul(half(f), f.add(f.exp(a), f.exp(f.neg(a)))),
  tanh: (f, a) => f.div(f.add(f.exp(a), f.neg(f.exp(f.neg(a)))), f.add(f.exp(a), f.exp(f.neg(a)))),
  coth: (f, a) => f.div(f.add(f.exp(a), f.exp(f.neg(a))), f.add(f.exp(a), f.neg(f.exp(f.neg(a))))),
  sech: (f, a) => f.inverse(f.mul(half(f), f.add(f.exp(a), f.exp(f.neg(a))))),
  csch: (f, a) => f.inverse(f.mul(half(f), f.add(f.exp(a), f.neg(f.exp(f.neg(a)))))),
  asinh: (f, a) => f.ln(f.add(a, f.sqrt(f.add(f.mul(a, a), f.one)))),
  acosh: (f, a) => f.ln(f.add(a, f.sqrt(f.add(f.mul(a, a), f.neg(f.one))))),
  atanh: (f, a) => f.mul(half(f), f.ln(f.div(f.add(f.one, a), f.add(f.one, f.neg(a))))),
  cis: (f, a) => f.add(f.cos(a), f.mul(f.i, f.sin(a))),
  abs: (f, a) => modulus(f, a),
  conj: (f, a) => ({ ...a, im: f.r.neg(a.im) }),
  overline: (f, a) => ({ ...a, im: f.r.neg(a.im) }),
  re: (f, a) => ({ ...a, im: f.r.zero }),
  im: (f, a) => ({ ...a, re: a.im, im: f.r.zero }),
  arg: (f, a) => f.make(f.argument(f.snap(a)), f.r.zero, a.err),
  floor: (f, a) => step(f, a, (x) => f.r.floor(x)),
  ceil: (f, a) => step(f, a, (x) => f.r.neg(f.r.floor(f.r.neg(x)))),
  max: (f, _a, _b, all) => all.reduce((x, y) => (f.r.less(real(f, x).re, real(f, y).re) ? y : x)),
  min: (f, _a, _b, all) => all.reduce((x, y) => (f.r.less(real(f, y).re, real(f, x).re) ? y : x)),
  sgn: (f, a) =>
    step(f, a, (x) => (f.r.isZero(x) ? x : f.r.less(x, f.r.zero) ? f.r.neg(f.r.one) : f.r.one)),
  factorial: (f, a) => exactCall(f, 'factorial', [a]),
  factorial2: (f, a) => exactCall(f, 'factorial2', [a]),
  binom: (f, _a, _b, all) => exactCall(f, 'binom', all),
  mod: (f, _a, _b, all) => exactCall(f, 'mod', all),
  gcd: (f, _a, _b, all) => exactCall(f, 'gcd', all),
  lcm: (f, _a, _b, all) => exactCall(f, 'lcm', all),
};

function half<T>(f: ComplexField<T>): Complex<T> {
  return f.rational({ n: 1n, d: 2n });
}

function halfPi<T>(f: ComplexField<T>): Complex<T> {
  return f.mul(half(f), f.pi);
}

function real<T>(f: ComplexField<T>, z: Complex<T>): Complex<T> {
  if (!f.isReal(z)) throw new Undetermined('not real');
  return z;
}

function modulus<T>(f: ComplexField<T>, a: Complex<T>): Complex<T> {
  const z = f.snap(a);
  if (f.r.isZero(z.im)) return { ...z, re: f.r.abs(z.re) };
  return f.sqrt(f.mul(z, { ...z, im: f.r.neg(z.im) }));
}

/** The real k-th root if there is one, else the principal root. */
function root<T>(f: ComplexField<T>, a: Complex<T>, k: bigint): Complex<T> {
  if (k === 2n) return f.sqrt(a);
  const z = f.snap(a);
  const negative = f.r.isZero(z.im) && f.r.less(z.re, f.r.zero) && isOdd(k);
  if (f.r.isZero(z.re) && f.r.isZero(z.im)) return z;
  const size = f.exp(f.div(f.ln(negative ? f.neg(z) : z), f.rational({ n: k, d: 1n })));
  return negative ? f.neg(size) : size;
}

function whole<T>(f: ComplexField<T>, z: Complex<T> | undefined): bigint {
  if (!z || !f.isReal(z)) throw new Undetermined('not whole');
  const k = f.r.toNumber(z.re);
  if (!Number.isSafeInteger(k)) throw new Undetermined('not whole');
  return BigInt(k);
}

/** Piecewise constant functions: undetermined within the error of a step. */
function step<T>(f: ComplexField<T>, a: Complex<T>, g: (x: T) => T): Complex<T> {
  const z = real(f, a);
  const [low, high] = [g(f.r.sub(z.re, z.err)), g(f.r.add(z.re, z.err))];
  if (!f.r.isZero(f.r.sub(low, high))) throw new Undetermined('at a step');
  return f.make(low, f.r.zero, f.r.zero);
}

/** Functions of integers. The arguments must be integers within the precision. */
function exactCall<T>(f: ComplexField<T>, name: string, args: readonly Complex<T>[]): Complex<T> {
  const nodes = args.map(
    (z): Node => ({ k: 'num', value: { n: whole(f, z), d: 1n } satisfies Rational }),
  );
  const value = exactValue({ k: 'fn', name, args: nodes });
  if (!value) throw new Undetermined(`${name} out of range`);
  return f.rational(value);
}

function fold<T>(node: NodeOf<'fold'>, e: Evaluation<T>): Complex<T> {
  const [from, to] = [whole(e.f, evaluate(node.from, e)), whole(e.f, evaluate(node.to, e))];
  if (to - from > BigInt(MAX_TERMS)) throw new Undetermined('too many terms');
  const at = new Map(e.at);
  const inner = { f: e.f, at, budget: e.budget };
  let total = node.op === 'sum' ? e.f.rational(integer(0)) : e.f.one;
  for (let k = from; k <= to; k++) {
    at.set(node.index, e.f.rational({ n: k, d: 1n }));
    const term = evaluate(node.body, inner);
    total = node.op === 'sum' ? e.f.add(total, term) : e.f.mul(total, term);
  }
  return total;
}
