/**
 * The exact rational value of a tree, or undefined if it is irrational, symbolic or too large. Sizes are estimated before
 * anything is multiplied. Leaves out: radicals that do not simplify to rationals, logarithms.
 */
import type { Node, NodeOf } from '../node.ts';
import * as Q from './rational.ts';

/** Bits of the largest intermediate number. */
const MAX_BITS = 1 << 16;
/** Largest n for which n! is computed. */
const MAX_FACTORIAL = 5_000;
/** Terms of one sum or product, nested ones included. */
export const MAX_TERMS = 2_000;

/** Bits of all intermediate numbers of one evaluation together. This bounds the time. */
const MAX_WORK = 6_000_000;

interface Context {
  terms: number;
  work: number;
  readonly bound: Map<string, Q.Rational>;
}

const known = new WeakMap<Node, Q.Rational | false>();

/** The value of a tree without free symbols. Cached by node, because several stages need it. */
export function exactValue(node: Node): Q.Rational | undefined {
  if (node.k === 'num') return node.value;
  const kept = known.get(node);
  if (kept !== undefined) return kept || undefined;
  const found = compute(node);
  known.set(node, found ?? false);
  return found;
}

function compute(node: Node): Q.Rational | undefined {
  try {
    return value(node, { terms: MAX_TERMS, work: MAX_WORK, bound: new Map() });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function value(node: Node, ctx: Context): Q.Rational | undefined {
  switch (node.k) {
    case 'num':
      return node.value;
    case 'sym':
      return ctx.bound.get(node.name);
    case 'neg':
      return map1(node.arg, ctx, Q.negate);
    case 'add':
      return reduce(node.args, ctx, Q.add);
    case 'mul':
      return reduce(node.args, ctx, Q.multiply);
    case 'div':
      return map2(node.num, node.den, ctx, Q.divide);
    case 'mixed':
      return map2(node.whole, node.part, ctx, Q.add);
    case 'percent':
      return map1(node.arg, ctx, (a) => Q.divide(a, Q.integer(100)));
    case 'pow':
      return map2(node.base, node.exp, ctx, rationalPower);
    case 'fn':
      return callFunction(node, ctx);
    case 'fold':
      return fold(node, ctx);
    default:
      return undefined;
  }
}

type Maybe = Q.Rational | undefined;

function map1(a: Node, ctx: Context, f: (a: Q.Rational) => Maybe): Maybe {
  const x = value(a, ctx);
  return x && chargeWork(f(x), ctx);
}

function map2(a: Node, b: Node, ctx: Context, f: (a: Q.Rational, b: Q.Rational) => Maybe): Maybe {
  const x = value(a, ctx);
  const y = x && value(b, ctx);
  return y && chargeWork(f(x, y), ctx);
}

function reduce(
  args: readonly Node[],
  ctx: Context,
  f: (a: Q.Rational, b: Q.Rational) => Q.Rational,
): Maybe {
  let total: Maybe;
  for (const arg of args) {
    const x = value(arg, ctx);
    if (!x) return undefined;
    total = total ? chargeWork(f(total, x), ctx) : x;
    if (!total) return undefined;
  }
  return total;
}

/** @throws {RangeError} if the evaluation has used up its work */
function chargeWork(a: Maybe, ctx: Context): Maybe {
  if (!a || isSmall(a)) return a;
  const size = Q.bits(a);
  ctx.work -= size;
  if (ctx.work < 0) throw new RangeError('too much work');
  return size > MAX_BITS ? undefined : a;
}

function isSmall(a: Q.Rational): boolean {
  return a.d === 1n && a.n < 1n << 48n && a.n > -(1n << 48n);
}

/** base^exp if it is rational: integer exponents within the limit, and exact roots. */
function rationalPower(base: Q.Rational, exp: Q.Rational): Maybe {
  if (exp.d === 1n) {
    const size = BigInt(Q.bits(base)) * (exp.n < 0n ? -exp.n : exp.n);
    if (base.n === 0n && exp.n <= 0n) return undefined;
    return size > BigInt(MAX_BITS) && !isUnit(base)
      ? undefined
      : isUnit(base)
        ? unitPower(base, exp.n)
        : Q.power(base, exp.n);
  }
  if (exp.d > 64n) return undefined;
  const root = Q.rationalRoot(base, Number(exp.d));
  return root && rationalPower(root, { n: exp.n, d: 1n });
}

function isUnit(a: Q.Rational): boolean {
  return a.d === 1n && (a.n === 1n || a.n === -1n || a.n === 0n);
}

function unitPower(a: Q.Rational, k: bigint): Q.Rational {
  return a.n === -1n && k % 2n === 0n ? Q.ONE : a;
}

function callFunction(node: NodeOf<'fn'>, ctx: Context): Maybe {
  const f = FUNCTIONS[node.name];
  if (!f) return undefined;
  const args: Q.Rational[] = [];
  for (const arg of node.args) {
    const x = value(arg, ctx);
    if (!x) return undefined;
    args.push(x);
  }
  return args.length > 0 ? chargeWork(f(args[0]!, args[1], args), ctx) : undefined;
}

type Exact = (a: Q.Rational, b: Maybe, all: readonly Q.Rational[]) => Maybe;

const FUNCTIONS: Readonly<Record<string, Exact>> = {
  sqrt: (a) => Q.rationalRoot(a, 2),
  cbrt: (a) => Q.rationalRoot(a, 3),
  root: (a, n) =>
    n && n.d === 1n && n.n >= 2n && n.n <= 64n ? Q.rationalRoot(a, Number(n.n)) : undefined,
  abs: Q.absolute,
  floor: (a) => ({ n: Q.floor(a), d: 1n }),
  ceil: (a) => ({ n: -Q.floor(Q.negate(a)), d: 1n }),
  round: (a) => ({ n: Q.floor(Q.add(a, Q.ratio(1n, 2n))), d: 1n }),
  sgn: (a) => Q.integer(Q.sign(a)),
  factorial: (a) => integerFunction(a, factorial),
  factorial2: (a) => integerFunction(a, doubleFactorial),
  binom: (n, k) => (k && n.d === 1n && k.d === 1n ? binomial(n.n, k.n) : undefined),
  mod: (a, b) =>
    b && b.n !== 0n
      ? Q.subtract(a, Q.multiply(b, { n: Q.floor(Q.divide(a, b)), d: 1n }))
      : undefined,
  gcd: (_a, _b, all) => foldIntegers(all, Q.gcd),
  lcm: (_a, _b, all) => foldIntegers(all, (a, b) => (a * b === 0n ? 0n : (a / Q.gcd(a, b)) * b)),
  max: (_a, _b, all) => all.reduce((a, b) => (Q.compare(a, b) >= 0 ? a : b)),
  min: (_a, _b, all) => all.reduce((a, b) => (Q.compare(a, b) <= 0 ? a : b)),
};

function integerFunction(a: Q.Rational, f: (n: number) => bigint): Maybe {
  if (a.d !== 1n || a.n < 0n || a.n > BigInt(MAX_FACTORIAL)) return undefined;
  return { n: f(Number(a.n)), d: 1n };
}

/** Every 64th factorial, filled on demand. */
const milestones: bigint[] = [1n];

function factorial(n: number): bigint {
  const wanted = Math.floor(n / 64);
  for (let k = milestones.length; k <= wanted; k++) {
    milestones.push(rangeProduct(milestones[k - 1]!, 64 * (k - 1) + 1, 64 * k));
  }
  return rangeProduct(milestones[wanted]!, 64 * wanted + 1, n);
}

function rangeProduct(start: bigint, from: number, to: number): bigint {
  let product = 1n;
  for (let i = from; i <= to; i++) product *= BigInt(i);
  return start * product;
}

function doubleFactorial(n: number): bigint {
  let product = 1n;
  for (let i = n; i > 1; i -= 2) product *= BigInt(i);
  return product;
}

/** n over k for 0 <= k <= n. The smaller of k and n - k is limited. */
function binomial(n: bigint, k: bigint): Maybe {
  if (n < 0n || k < 0n || k > n) return k >= 0n && n >= 0n ? Q.ZERO : undefined;
  const m = k < n - k ? k : n - k;
  if (m > BigInt(MAX_FACTORIAL) || m * BigInt(Q.bitLength(n)) > BigInt(MAX_BITS)) return undefined;
  if (n <= BigInt(MAX_FACTORIAL)) {
    return { n: factorial(Number(n)) / (factorial(Number(m)) * factorial(Number(n - m))), d: 1n };
  }
  if (m > 500n) return undefined;
  let product = 1n;
  for (let i = 1n; i <= m; i++) product = (product * (n - m + i)) / i;
  return { n: product, d: 1n };
}

function foldIntegers(all: readonly Q.Rational[], f: (a: bigint, b: bigint) => bigint): Maybe {
  if (all.some((a) => a.d !== 1n)) return undefined;
  return { n: all.map((a) => a.n).reduce(f), d: 1n };
}

function fold(node: NodeOf<'fold'>, ctx: Context): Maybe {
  const [from, to] = [value(node.from, ctx), value(node.to, ctx)];
  if (!from || !to || from.d !== 1n || to.d !== 1n || to.n - from.n > BigInt(MAX_TERMS)) {
    return undefined;
  }
  const outer = ctx.bound.get(node.index);
  let total: Maybe = node.op === 'sum' ? Q.ZERO : Q.ONE;
  for (let k = from.n; k <= to.n && total; k++) {
    if (--ctx.terms < 0) return undefined;
    ctx.bound.set(node.index, { n: k, d: 1n });
    const term = value(node.body, ctx);
    total =
      term && chargeWork(node.op === 'sum' ? Q.add(total, term) : Q.multiply(total, term), ctx);
  }
  if (outer) ctx.bound.set(node.index, outer);
  else ctx.bound.delete(node.index);
  return total;
}
