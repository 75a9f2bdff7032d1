/**
 * Compares two trees by the type of the reference. This file decides which other notations each type accepts.
 * Leaves out: text, choices and guards (judge.ts).
 */
import { isLiteral, isUnevaluated } from '../guard.ts';
import { isScalar, type Node, type NodeOf, some, symbols } from '../node.ts';
import { ONE } from '../number/rational.ts';
import { sameDimensions } from '../read/units.ts';
import {
  type Compare,
  compareOrdered,
  compareUnordered,
  dropDuplicates,
  listValues,
  tupleOf,
  valuesByName,
  vectorItems,
} from './collection.ts';
import { compareFamilies } from './family.ts';
import {
  type Context,
  compareAll,
  compareAny,
  different,
  equal,
  type Outcome,
  TYPE_MISMATCH,
} from './outcome.ts';
import { compareQuantities } from './quantity.ts';
import { compareSets, isEmpty, isLine, realSet } from './realset.ts';
import { bareValue, compareCases, compareRelations } from './relation.ts';
import { compareScalar } from './scalar.ts';
import {
  compareBased,
  compareDefined,
  compareToDigits,
  compareToMatrix,
  compareToRatio,
} from './shape.ts';

/** Whether the candidate answers the same as the reference. */
export function compareNodes(reference: Node, candidate: Node, ctx: Context): Outcome {
  const [a, b] = [
    addCompound(unwrapSingle(tupleOf(reference))),
    addCompound(unwrapSingle(tupleOf(candidate))),
  ];
  const compare: Compare = (x, y) => compareNodes(x, y, ctx);
  if (a.k === 'quantity' || b.k === 'quantity') return compareWithUnits(a, b, ctx, compare);
  if (hasPlusMinus(a)) return compareToListed(a, b, compare);
  if (isScalar(a)) return compareToScalar(a, b, ctx, compare);
  const named = a.k !== 'relation' && b.k === 'relation' ? valueOfName(b, ctx) : undefined;
  if (named) {
    return compareAny([
      () => compareNodes(a, named, ctx),
      () => compareStructures(a, b, ctx, compare),
    ]);
  }
  return compareStructures(a, b, ctx, compare);
}

/** The value of a named answer, `A = \{1, 2\}`. */
function valueOfName(b: NodeOf<'relation'>, ctx: Context): Node | undefined {
  return ctx.options.bareValue === 'accept' ? bareValue(b, ctx) : undefined;
}

function compareStructures(a: Node, b: Node, ctx: Context, compare: Compare): Outcome {
  switch (a.k) {
    case 'list':
      return compareToList(a, b, ctx, compare);
    case 'set':
      return compareToSet(a, b, ctx, compare);
    case 'group':
      return compareToGroup(a, b, ctx, compare);
    case 'pm':
      return compareToListed(a, b, compare);
    case 'relation':
      return compareToRelation(a, b, ctx, compare);
    case 'matrix':
      return compareToMatrix(a, b, ctx, compare);
    case 'setop':
    case 'setof':
    case 'numberset':
      return compareToRealSet(a, b, ctx, compare);
    case 'ratio':
      return compareToRatio(a, b, compare);
    case 'based':
      return b.k === 'based' ? compareBased(a, b) : compareToDigits(a, b);
    case 'cases':
      return b.k === 'cases' ? compareCases(a, b, compare) : compareDefined(a, b, ctx, compare);
    case 'words':
      return b.k === 'words' && a.text.toLowerCase() === b.text.toLowerCase()
        ? equal('words')
        : different('words');
    default:
      return different('structure');
  }
}

function hasPlusMinus(node: Node): boolean {
  return node.k === 'pm' || (isScalar(node) && some(node, (n) => n.k === 'pm'));
}

/** Removes brackets around a single item. */
function unwrapSingle(node: Node): Node {
  if (
    (node.k === 'group' || node.k === 'list') &&
    node.items.length === 1 &&
    !(node.k === 'group' && node.open !== '(' && node.open !== '[')
  ) {
    return unwrapSingle(node.items[0]!);
  }
  return node;
}

function compareWithUnits(a: Node, b: Node, ctx: Context, compare: Compare): Outcome {
  if (b.k === 'relation' && a.k === 'quantity') return compareToScalar(a, b, ctx, compare);
  if (a.k === 'relation') return compareToRelation(a, b, ctx, compare);
  if (b.k === 'set' && b.items.length === 1) return compare(a, b.items[0]!);
  if (a.k === 'list' && (a.join === 'and' || a.items.length > 1)) {
    return compareToList(a, b, ctx, compare);
  }
  return compareQuantities(a, b, ctx);
}

/** Adds up the parts of one amount in different units: "2 hours and 30 minutes". */
function addCompound(node: Node): Node {
  if (node.k !== 'list' || node.join !== 'and') return node;
  const parts = node.items.filter((item) => item.k === 'quantity');
  const first = parts[0];
  if (
    !first ||
    parts.length !== node.items.length ||
    parts.some((p) => !sameDimensions(p.unit, first.unit))
  ) {
    return node;
  }
  if (new Set(parts.map((p) => p.unit.label)).size !== parts.length) return node;
  const args = parts.map(
    (p): Node => ({ k: 'mul', args: [p.arg, { k: 'num', value: p.unit.factor }] }),
  );
  return { k: 'quantity', arg: { k: 'add', args }, unit: { ...first.unit, factor: ONE } };
}

function compareToScalar(a: Node, b: Node, ctx: Context, compare: Compare): Outcome {
  if (hasPlusMinus(b)) return compareToListed({ k: 'list', items: [a], join: 'comma' }, b, compare);
  if (isScalar(b)) return unlessUnevaluated(a, b, compareScalar(a, b, ctx), ctx);
  if (b.k === 'relation') {
    const value = ctx.options.bareValue === 'accept' ? bareValue(b, ctx) : undefined;
    return value ? compare(a, value) : TYPE_MISMATCH;
  }
  if (b.k === 'set' && b.items.length === 1) return compare(a, b.items[0]!);
  if (b.k === 'list' && b.items.length <= 3) return compareAll(b.items, (item) => compare(a, item));
  if (b.k === 'ratio' && b.args.length === 2) {
    return compareScalar(a, { k: 'div', num: b.args[0]!, den: b.args[1]! }, ctx);
  }
  if (b.k === 'based' && b.base === 10) {
    return compareScalar(a, { k: 'num', value: { n: BigInt(b.digits), d: 1n } }, ctx);
  }
  return TYPE_MISMATCH;
}

/** Rejects unevaluated arithmetic as the answer to a plain number. */
function unlessUnevaluated(a: Node, b: Node, outcome: Outcome, ctx: Context): Outcome {
  const undone =
    outcome.result === 'equal' &&
    ctx.options.unevaluated === 'auto' &&
    isLiteral(a) &&
    (isUnevaluated(b) || symbols(b).length > 0);
  return undone ? different('guard', 'unevaluated arithmetic') : outcome;
}

/** Compares a bare list with everything that lists values, in any order unless the options say otherwise. */
function compareToList(a: NodeOf<'list'>, b: Node, ctx: Context, compare: Compare): Outcome {
  const family = compareFamilies(a, b, ctx, compare);
  if (family) return family;
  if (ctx.options.order === 'ordered') {
    const items = listValues(b) ?? (b.k === 'group' ? b.items : undefined);
    return items ? compareOrdered(listValues(a) ?? a.items, items, compare) : TYPE_MISMATCH;
  }
  const ways = [() => compareToListed(a, b, compare)];
  const [x, y] = [valuesByName(a), valuesByName(b) ?? (b.k === 'group' ? b.items : undefined)];
  if (x && y) ways.push(() => compareOrdered(x, y, compare));
  if (b.k === 'group' && b.items.length === a.items.length) {
    ways.push(() => compareOrdered(listValues(a) ?? a.items, b.items, compare));
  }
  if (isInequalities(a)) ways.push(() => compareToRealSet(a, b, ctx, compare));
  return compareAny(ways);
}

function isInequalities(node: Node): boolean {
  return node.k === 'list' && node.items.every((item) => item.k === 'relation');
}

function compareToListed(a: Node, b: Node, compare: Compare): Outcome {
  const [x, y] = [listValues(a), listValues(b) ?? (isScalar(b) ? [b] : undefined)];
  if (!x || !y) return TYPE_MISMATCH;
  if (a.k === 'list' && b.k === 'list') return compareUnordered(x, y, compare);
  return compareUnordered(dropDuplicates(x, compare), dropDuplicates(y, compare), compare);
}

function compareToSet(a: NodeOf<'set'>, b: Node, ctx: Context, compare: Compare): Outcome {
  if (a.items.length === 0) return compareToEmpty(b, ctx);
  if (a.items.length === 1 && isScalar(b)) return compare(a.items[0]!, b);
  const outcome = compareToListed(a, b, compare);
  if (outcome.result === 'equal' || b.k === 'set' || b.k === 'list') return outcome;
  return compareAny([() => outcome, () => compareToRealSet(a, b, ctx, compare)]);
}

function compareToEmpty(b: Node, ctx: Context): Outcome {
  const set = realSet(b, ctx);
  if ((b.k === 'set' && b.items.length === 0) || (set && b.k !== 'relation' && isEmpty(set))) {
    return equal('structure');
  }
  return b.k === 'relation' && b.args.at(-1)?.k === 'set'
    ? compareToEmpty(b.args.at(-1)!, ctx)
    : different('structure', 'not the empty set');
}

/** Compares tuples and intervals. The kind of brackets matters if the items can be the ends of an interval. */
function compareToGroup(a: NodeOf<'group'>, b: Node, ctx: Context, compare: Compare): Outcome {
  const items = b.k === 'group' ? b.items : (vectorItems(b) ?? valuesByName(b) ?? bareItems(a, b));
  if (items) {
    if (b.k === 'group' && bracketsDiffer(a, b, ctx)) {
      return different('structure', 'other brackets');
    }
    return compareOrdered(a.items, items, compare);
  }
  if (b.k === 'list' && ctx.options.order === 'ordered') {
    return compareOrdered(a.items, b.items, compare);
  }
  return compareToRealSet(a, b, ctx, compare);
}

/** Values without brackets match a tuple, but not an interval with a closed end. */
function bareItems(a: NodeOf<'group'>, b: Node): readonly Node[] | undefined {
  if (b.k !== 'list' || b.join === 'or' || b.items.some((item) => item.k === 'relation')) {
    return undefined;
  }
  const tuple = a.items.length !== 2 || (a.open === '(' && a.close === ')') || a.open === '<';
  return tuple ? b.items : undefined;
}

function bracketsDiffer(a: NodeOf<'group'>, b: NodeOf<'group'>, ctx: Context): boolean {
  if (a.open === b.open && a.close === b.close) return false;
  const interval = a.items.length === 2 && b.items.length === 2 && realSet(a, ctx) !== undefined;
  return interval && a.open !== '<' && b.open !== '<';
}

function compareToRealSet(a: Node, b: Node, ctx: Context, compare: Compare): Outcome {
  const [x, y] = [realSet(a, ctx), realSet(b, ctx)];
  if (x && y) {
    return isLine(y) && !isLine(x)
      ? different('guard', 'the answer covers everything')
      : compareSets(x, y, ctx);
  }
  if (a.k === 'setof' && b.k === 'setof') return compareBuilders(a, b, compare);
  if (a.k === 'setop' && b.k === 'setop' && a.op === b.op) {
    return compareUnordered(a.args, b.args, compare);
  }
  if (a.k === 'numberset' && b.k === 'numberset') {
    return a.name === b.name ? equal('structure') : different('structure');
  }
  if (b.k === 'relation' && b.ops.length === 1 && b.ops[0] === 'in') return compare(a, b.args[1]!);
  return TYPE_MISMATCH;
}

function compareBuilders(a: NodeOf<'setof'>, b: NodeOf<'setof'>, compare: Compare): Outcome {
  const element = compare(a.element, b.element);
  return element.result === 'equal'
    ? compareUnordered(a.conditions, b.conditions, compare)
    : element;
}

function compareToRelation(
  a: NodeOf<'relation'>,
  b: Node,
  ctx: Context,
  compare: Compare,
): Outcome {
  const ways: (() => Outcome)[] = [];
  if (b.k === 'relation') ways.push(() => compareRelations(a, b, ctx, compare));
  const [x, y] = [realSet(a, ctx), realSet(b, ctx)];
  const point = a.ops.every((op) => op === '=');
  if (x && y && !(point && b.k === 'relation')) {
    ways.push(() => compareToRealSet(a, b, ctx, compare));
  }
  const items = listValues(a);
  if (items && (b.k !== 'relation' || listValues(b)))
    ways.push(() => compareToListed(a, b, compare));
  const value =
    ctx.options.bareValue === 'accept' && b.k !== 'relation'
      ? (bareValue(a, ctx) ?? setOfMembership(a))
      : undefined;
  if (value) ways.push(() => compare(value, b));
  return ways.length > 0 ? compareAny(ways) : TYPE_MISMATCH;
}

/** The set S of `x in S`. */
function setOfMembership(a: NodeOf<'relation'>): Node | undefined {
  return a.ops.length === 1 && a.ops[0] === 'in' ? a.args[1] : undefined;
}
