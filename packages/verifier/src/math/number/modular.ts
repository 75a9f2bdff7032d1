/**
 * Compares rational functions by their values modulo two primes at pseudo-random places (Schwartz-Zippel). Decides
 * polynomials, their quotients and huge powers in microseconds; the error probability is below degree/2^60.
 * pi and e are indeterminates, i is a root of -1 (both primes are 1 mod 4).
 * Leaves out: roots, logarithms and symbolic exponents; for these the result is undefined.
 */
import type { Node } from '../node.ts';
import { exactValue } from './exact.ts';

/** Two primes of 61 and 60 bits, both 1 mod 4. */
const PRIMES = [2305843009213693921n, 1152921504606846869n] as const;
/** Nodes visited at most. The text is limited, but sums repeat their bodies. */
const MAX_STEPS = 20_000;

/** Roots of -1: a^((p-1)/4) for a non-residue a squares to -1. */
const IMAGINARY = PRIMES.map((p) => {
  for (let a = 2n; ; a++) {
    const r = powerMod(a, (p - 1n) / 4n, p);
    if ((r * r) % p === p - 1n) return r;
  }
});

function powerMod(base: bigint, exp: bigint, p: bigint): bigint {
  let [result, b, e] = [1n, ((base % p) + p) % p, exp];
  for (; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % p;
    b = (b * b) % p;
  }
  return result;
}

class NotRational extends Error {}

interface Context {
  readonly p: bigint;
  readonly imaginary: bigint;
  readonly at: (name: string) => bigint;
  steps: number;
}

/** @returns undefined if either side is not a rational function */
export function compareModular(a: Node, b: Node, seed: bigint): 'equal' | 'different' | undefined {
  try {
    const equal = PRIMES.every((p, k) => residue(a, k, seed) === residue(b, k, seed) && p > 0n);
    return equal ? 'equal' : 'different';
  } catch (error) {
    if (error instanceof NotRational) return undefined;
    throw error;
  }
}

function residue(node: Node, k: number, seed: bigint): bigint {
  const p = PRIMES[k]!;
  const places = new Map<string, bigint>();
  const at = (name: string): bigint => {
    const known = places.get(name);
    if (known !== undefined) return known;
    const place = hash(name, seed + BigInt(k)) % p;
    places.set(name, place);
    return place;
  };
  return evaluate(node, { p, imaginary: IMAGINARY[k]!, at, steps: MAX_STEPS });
}

/** FNV-1a over 64 bits, mixed with the seed. The place of a symbol depends only on its name, not on any order. */
function hash(name: string, seed: bigint): bigint {
  let h = 0xcbf29ce484222325n ^ seed;
  for (let i = 0; i < name.length; i++) {
    h = ((h ^ BigInt(name.charCodeAt(i))) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  h ^= h >> 31n;
  return (h * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
}

function evaluate(node: Node, c: Context): bigint {
  if (--c.steps < 0) throw new NotRational();
  switch (node.k) {
    case 'num':
      return divide(node.value.n, node.value.d, c.p);
    case 'sym':
      return c.at(node.name);
    case 'const':
      return constant(node.name, c);
    case 'neg':
      return (c.p - evaluate(node.arg, c)) % c.p;
    case 'add':
      return node.args.reduce((sum, arg) => (sum + evaluate(arg, c)) % c.p, 0n);
    case 'mul':
      return node.args.reduce((product, arg) => (product * evaluate(arg, c)) % c.p, 1n);
    case 'div':
      return divide(evaluate(node.num, c), evaluate(node.den, c), c.p);
    case 'mixed':
      return (evaluate(node.whole, c) + evaluate(node.part, c)) % c.p;
    case 'percent':
      return divide(evaluate(node.arg, c), 100n, c.p);
    case 'pow':
      return powerOf(node.base, node.exp, c);
    default:
      return exact(node, c);
  }
}

function constant(name: string, c: Context): bigint {
  if (name === 'i') return c.imaginary;
  if (name === 'pi' || name === 'e') return c.at(`\\${name}`);
  throw new NotRational();
}

function exact(node: Node, c: Context): bigint {
  const value = exactValue(node);
  if (!value) throw new NotRational();
  return divide(value.n, value.d, c.p);
}

function divide(n: bigint, d: bigint, p: bigint): bigint {
  const denominator = ((d % p) + p) % p;
  if (denominator === 0n) throw new NotRational();
  const numerator = ((n % p) + p) % p;
  return denominator === 1n ? numerator : (numerator * powerMod(denominator, p - 2n, p)) % p;
}

/** Integer exponents of any size. Fermat's theorem reduces them if the base is not 0. */
function powerOf(base: Node, exp: Node, c: Context): bigint {
  const k = exactValue(exp);
  if (k?.d !== 1n) return exact({ k: 'pow', base, exp }, c);
  const b = evaluate(base, c);
  if (b === 0n) {
    if (k.n <= 0n) throw new NotRational();
    return 0n;
  }
  return powerMod(b, ((k.n % (c.p - 1n)) + c.p - 1n) % (c.p - 1n), c.p);
}
