/**
 * Compares numbers and symbolic expressions: first as exact rationals, then modulo primes, then by probing. Also decides
 * when a rounded decimal matches. Leaves out: units, relations, answers of several items.
 */
import { isScalar, type Node, type NodeOf, symbols } from '../node.ts';
import { exactValue } from '../number/exact.ts';
import { compareModular } from '../number/modular.ts';
import { hasValue, preciseValue, probe } from '../number/probe.ts';
import * as Q from '../number/rational.ts';
import {
  type Context,
  different,
  equal,
  type Outcome,
  requireProbing,
  type Stage,
  undecided,
} from './outcome.ts';

const SEED = 0x5eedn;

/** Compares two scalars without tolerance or rounding. */
export function compareExactly(a: Node, b: Node, ctx: Context): Outcome {
  const special = compareSpecial(a, b);
  if (special) return special;
  const [x, y] = [exactValue(a), exactValue(b)];
  if (x && y) return Q.equals(x, y) ? equal('exact') : different('exact');
  const modular = compareModular(a, b, SEED);
  if (modular) return modular === 'equal' ? equal('modular') : different('modular');
  requireProbing(ctx);
  const probed = probe(a, b);
  if (probed.result === undefined) return concludeUnprobed(a, b, probed.stage);
  return { result: probed.result, stage: probed.stage };
}

/** An answer without a value within the limits differs from a reference that has one. */
function concludeUnprobed(a: Node, b: Node, stage: Stage): Outcome {
  if (hasValue(a) && !hasValue(b)) {
    return different('guard', 'the answer has no value within the limits');
  }
  return undecided(stage, 'neither equality nor a difference was proved');
}

/** Infinity and "undefined" only equal themselves. */
function compareSpecial(a: Node, b: Node): Outcome | undefined {
  const [x, y] = [specialValue(a), specialValue(b)];
  if (x === undefined && y === undefined) return undefined;
  return x === y ? equal('exact') : different('exact');
}

function specialValue(node: Node): string | undefined {
  if (node.k === 'const') {
    return node.name === 'infinity' || node.name === 'undefined' ? node.name : undefined;
  }
  if (node.k === 'neg' && specialValue(node.arg) === 'infinity') return '-infinity';
  return undefined;
}

/** Compares with the rounding and tolerance that the options allow. */
export function compareScalar(reference: Node, candidate: Node, ctx: Context): Outcome {
  const exact = compareExactly(reference, candidate, ctx);
  if (exact.result === 'equal') return exact;
  if (ctx.options.tolerance && withinTolerance(reference, candidate, ctx.options.tolerance, ctx)) {
    return equal('rounded');
  }
  return (
    compareRounded(reference, candidate, ctx) ?? comparePercent(reference, candidate, ctx) ?? exact
  );
}

function withinTolerance(
  a: Node,
  b: Node,
  tolerance: { relative?: number; absolute?: number },
  ctx: Context,
): boolean {
  const [x, y] = [constantValue(a, ctx), constantValue(b, ctx)];
  if (!x || !y) return false;
  const gap = Q.absolute(Q.subtract(x, y));
  // Exact arithmetic: in doubles, the tolerance of a huge reference would be infinite.
  const share = Q.multiply(doubleToRational(tolerance.relative ?? 0), Q.absolute(x));
  const allowed = [doubleToRational(tolerance.absolute ?? 0), share];
  return allowed.some((bound) => Q.compare(gap, bound) <= 0);
}

function doubleToRational(x: number): Q.Rational {
  return x === 0 ? Q.ZERO : Q.fromDecimal(x.toExponential(15).replace('e+', 'e'));
}

/** The value of a constant: exact if it is rational, else to 55 digits. */
function constantValue(node: Node, ctx: Context): Q.Rational | undefined {
  if (symbols(node).length > 0) return undefined;
  const exact = exactValue(node);
  if (exact) return exact;
  requireProbing(ctx);
  return preciseValue(node);
}

/** The literal decimal under a sign or percent. */
function decimalLiteral(node: Node): NodeOf<'num'> | undefined {
  if (node.k === 'neg' || node.k === 'percent') return decimalLiteral(node.arg);
  return node.k === 'num' && node.decimals !== undefined ? node : undefined;
}

/** Significant digits that a decimal needs to count as a rounded value. */
const MIN_SHOWN = 3;
/** Two digits suffice only for simple fractions: 0.33 is 1/3, but 4.5 is not the root of 20. Largest denominator. */
const MAX_SIMPLE = 20n;

/**
 * A decimal reference matches values that round to its digits. An exact reference without a short decimal matches a
 * correctly rounded decimal of at least `roundedDigits` places and significant digits.
 * @returns undefined if no rounding applies
 */
function compareRounded(reference: Node, candidate: Node, ctx: Context): Outcome | undefined {
  const shown = decimalLiteral(reference);
  if (shown) {
    return roundsToReference(reference, shown, candidate, ctx) ? equal('rounded') : undefined;
  }
  const given = decimalLiteral(candidate);
  const least = ctx.options.roundedDigits;
  if (!given || least === 0 || Math.min(given.digits ?? 0, given.decimals ?? 0) < least) {
    return undefined;
  }
  const exact = constantValue(reference, ctx);
  if (!exact || hasShortDecimal(exact)) return undefined;
  return roundsTo(exact, candidate, given) || truncatesTo(exact, candidate, given)
    ? equal('rounded')
    : undefined;
}

function roundsToReference(
  reference: Node,
  shown: NodeOf<'num'>,
  candidate: Node,
  ctx: Context,
): boolean {
  const value = isScalar(candidate) ? constantValue(candidate, ctx) : undefined;
  if (!value) return false;
  const digits = shown.digits ?? 0;
  const enough = hasShortDecimal(value)
    ? digits >= MIN_SHOWN && isFiner(candidate, shown)
    : digits >= MIN_SHOWN || (digits === 2 && value.d <= MAX_SIMPLE);
  return enough && roundsTo(value, reference, shown);
}

/** A decimal answer needs more places than the reference: 3.1 does not match 3.14. */
function isFiner(candidate: Node, shown: NodeOf<'num'>): boolean {
  const given = decimalLiteral(candidate);
  return !given || (given.decimals ?? 0) > (shown.decimals ?? 0);
}

/** Whether |value - decimal| is at most half a unit of the last place of the decimal. */
function roundsTo(value: Q.Rational, decimal: Node, shown: NodeOf<'num'>): boolean {
  const target = exactValue(decimal);
  if (!target) return false;
  const half = Q.ratio(1n, 2n * 10n ** BigInt((shown.decimals ?? 0) + percentPlaces(decimal)));
  return Q.compare(Q.absolute(Q.subtract(value, target)), half) <= 0;
}

/** Whether the decimal is the truncated value: 0.666666 for 2/3. */
function truncatesTo(value: Q.Rational, decimal: Node, shown: NodeOf<'num'>): boolean {
  const target = exactValue(decimal);
  if (!target) return false;
  const unit = Q.ratio(1n, 10n ** BigInt((shown.decimals ?? 0) + percentPlaces(decimal)));
  return (
    Q.compare(Q.absolute(target), Q.absolute(value)) <= 0 &&
    Q.compare(Q.absolute(Q.subtract(value, target)), unit) < 0
  );
}

function percentPlaces(node: Node): number {
  return node.k === 'percent' ? 2 : node.k === 'neg' ? percentPlaces(node.arg) : 0;
}

/** Whether the rational has a decimal of at most 12 places. */
function hasShortDecimal(q: Q.Rational): boolean {
  return 10n ** 12n % q.d === 0n;
}

/** Compares 50% with 50, if the options or the question allow it. */
function comparePercent(reference: Node, candidate: Node, ctx: Context): Outcome | undefined {
  const allowed =
    ctx.options.percent === 'either' || (ctx.options.percent === 'auto' && ctx.asksPercent);
  if (!allowed || (reference.k === 'percent') === (candidate.k === 'percent')) return undefined;
  const strip = (node: Node): Node => (node.k === 'percent' ? node.arg : node);
  const outcome = compareScalar(strip(reference), strip(candidate), ctx);
  return outcome.result === 'equal' ? outcome : undefined;
}
