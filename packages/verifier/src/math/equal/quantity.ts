/**
 * Compares numbers with units. Units must be equal or convertible; the options decide whether one may be missing.
 * Leaves out: what a unit means (read/units.ts).
 */
import { isScalar, type Node, type NodeOf } from '../node.ts';
import { divide, equals, ONE } from '../number/rational.ts';
import {
  findUnit,
  isNoun,
  sameDimensions,
  type Unit,
  unitPower,
  unitProduct,
} from '../read/units.ts';
import { type Context, different, type Outcome } from './outcome.ts';
import { compareScalar } from './scalar.ts';

type Quantity = NodeOf<'quantity'>;

/** Compares a reference and a candidate of which at least one has a unit. */
export function compareQuantities(reference: Node, candidate: Node, ctx: Context): Outcome {
  const other =
    candidate.k === 'quantity'
      ? candidate
      : reference.k === 'quantity'
        ? reinterpretAsQuantity(candidate)
        : candidate;
  const own =
    reference.k === 'quantity'
      ? reference
      : other.k === 'quantity'
        ? reinterpretAsQuantity(reference)
        : reference;
  if (own.k === 'quantity' && other.k === 'quantity') return compareUnits(own, other, ctx);
  return compareMissing(own, other, ctx);
}

function compareUnits(a: Quantity, b: Quantity, ctx: Context): Outcome {
  if (!sameDimensions(a.unit, b.unit)) {
    if (isInterchangeable(a.unit, b.unit)) return compareScalar(a.arg, b.arg, ctx);
    return different('structure', `${b.unit.label} instead of ${a.unit.label}`);
  }
  const factor = divide(b.unit.factor, a.unit.factor);
  const value: Node = equals(factor, ONE)
    ? b.arg
    : { k: 'mul', args: [{ k: 'num', value: factor }, b.arg] };
  return compareScalar(a.arg, value, ctx);
}

/** Nouns that add no information to a number. */
const GENERIC =
  /^noun:(?:way|value|number|total|item|thing|solution|answer|integer|people|person|student|object|piece|possibility|outcome|different way|distinct way|element|point)$/;

/** Whether different units do not contradict each other: nouns for what is counted, "units" for a length. */
function isInterchangeable(a: Unit, b: Unit): boolean {
  if (isNoun(a) && isNoun(b)) return isGeneric(a) || isGeneric(b) || oneNounContains(a, b);
  return (isBareUnit(a) && isSpatial(b)) || (isBareUnit(b) && isSpatial(a));
}

function isGeneric(unit: Unit): boolean {
  return isBareUnit(unit) || Object.keys(unit.dimensions).every((d) => GENERIC.test(d));
}

function isBareUnit(unit: Unit): boolean {
  return Object.keys(unit.dimensions).every(
    (d) => d === 'unit' || /^noun:(?:square|cubic|sq) units?$/.test(d),
  );
}

function isSpatial(unit: Unit): boolean {
  return Object.keys(unit.dimensions).every((d) => d === 'length');
}

/** Whether one noun contains the other, as "red apples" contains "apples". */
function oneNounContains(a: Unit, b: Unit): boolean {
  if (!isNoun(a) || !isNoun(b)) return false;
  const [x, y] = [a.label.split(' '), b.label.split(' ')];
  return x.every((word) => y.includes(word)) || y.every((word) => x.includes(word));
}

/** A unit on one side only: the options decide. An angle in degrees may also be given in radians. */
function compareMissing(reference: Node, candidate: Node, ctx: Context): Outcome {
  const [bare, quantity] =
    reference.k === 'quantity' ? [candidate, reference] : [reference, candidate];
  if (quantity.k !== 'quantity' || !isScalar(bare)) {
    return different('structure', 'a unit on one side and not a number on the other');
  }
  const noun = isNoun(quantity.unit);
  const outcome =
    reference === quantity
      ? compareScalar(quantity.arg, bare, ctx)
      : compareScalar(bare, quantity.arg, ctx);
  if (outcome.result === 'equal') {
    return ctx.options.missingUnit === 'accept' || noun
      ? outcome
      : different('structure', 'a unit is missing');
  }
  if (quantity.unit.dimensions.angle === 1) return compareScalar(reference, candidate, ctx);
  return outcome;
}

/** Reads a product such as `5 m` as a quantity, because the other side has a unit. */
function reinterpretAsQuantity(node: Node): Node {
  if (node.k === 'div') return reinterpretQuotient(node);
  if (node.k !== 'mul') return node;
  const parts = node.args.map(unitOfSymbol);
  const first = parts.findIndex((unit) => unit !== undefined);
  if (first <= 0 || !parts.slice(first).every((unit) => unit !== undefined)) return node;
  const rest = node.args.slice(0, first);
  const arg: Node = rest.length === 1 ? rest[0]! : { ...node, args: rest };
  return { k: 'quantity', arg, unit: parts.slice(first).reduce((a, b) => unitProduct(a!, b!))! };
}

function reinterpretQuotient(node: NodeOf<'div'>): Node {
  const num = node.num.k === 'quantity' ? node.num : reinterpretAsQuantity(node.num);
  const den = unitOfSymbol(node.den);
  if (num.k !== 'quantity' || !den) return node;
  return { ...num, unit: unitProduct(num.unit, unitPower(den, -1)) };
}

function unitOfSymbol(node: Node): Unit | undefined {
  if (node.k === 'sym') return findUnit(node.name, true);
  if (
    node.k !== 'pow' ||
    node.exp.k !== 'num' ||
    node.exp.value.d !== 1n ||
    node.exp.value.n > 4n
  ) {
    return undefined;
  }
  const unit = unitOfSymbol(node.base);
  return unit && unitPower(unit, Number(node.exp.value.n));
}
