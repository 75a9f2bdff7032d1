/**
 * Sets of real numbers as cells of the line: sorted endpoints divide it into points and open gaps, and a set tells which of
 * these it contains. Union, intersection and complement are then boolean operations. Reads intervals, unions, finite sets
 * and inequalities in one variable. Leaves out: conditions that are not linear in the variable, sets of other objects.
 */
import { type Node, type NodeOf, type RelationOp, symbols } from '../node.ts';
import { realValue } from '../number/probe.ts';
import { type Context, compareAll, different, type Outcome } from './outcome.ts';
import { compareExactly } from './scalar.ts';

/** Finite endpoints in ascending order, and membership of gap 0, point 0, gap 1, point 1, ..., gap n. */
export interface RealSet {
  readonly ends: readonly End[];
  readonly cells: readonly boolean[];
}

interface End {
  readonly node: Node;
  readonly value: number;
}

const EMPTY: RealSet = { ends: [], cells: [false] };
const LINE: RealSet = { ends: [], cells: [true] };

function raySet(end: Node, op: RelationOp): RealSet | undefined {
  const value = realValue(end);
  if (value === undefined || Number.isNaN(value)) return undefined;
  if (!Number.isFinite(value)) {
    const below = op === '<' || op === '<=';
    return below === value > 0 ? LINE : EMPTY;
  }
  const cells = {
    '<': [true, false, false],
    '<=': [true, true, false],
    '>': [false, false, true],
    '>=': [false, true, true],
    '=': [false, true, false],
    '!=': [true, false, true],
  };
  const chosen = Object.hasOwn(cells, op) ? cells[op as keyof typeof cells] : undefined;
  return chosen && { ends: [{ node: end, value }], cells: chosen };
}

/** The endpoints of two sets in ascending order, without duplicates. */
function mergeEnds(a: readonly End[], b: readonly End[], ctx: Context): End[] {
  const all = [...a, ...b].sort((x, y) => x.value - y.value);
  return all.filter((end, k) => k === 0 || !isSameEnd(all[k - 1]!, end, ctx));
}

function isSameEnd(a: End, b: End, ctx: Context): boolean {
  const close = Math.abs(a.value - b.value) <= 1e-9 * Math.max(1, Math.abs(a.value));
  return close && compareExactly(a.node, b.node, ctx).result === 'equal';
}

/** The cells of a set over more endpoints, which include its own. */
function refine(set: RealSet, ends: readonly End[], ctx: Context): boolean[] {
  const cells: boolean[] = [set.cells[0]!];
  let k = 0;
  for (const end of ends) {
    const own = set.ends[k];
    if (own && (own === end || isSameEnd(own, end, ctx))) {
      cells.push(set.cells[2 * k + 1]!, set.cells[2 * k + 2]!);
      k++;
    } else {
      cells.push(set.cells[2 * k]!, set.cells[2 * k]!);
    }
  }
  return cells;
}

function combine(
  a: RealSet,
  b: RealSet,
  ctx: Context,
  op: (x: boolean, y: boolean) => boolean,
): RealSet {
  const ends = mergeEnds(a.ends, b.ends, ctx);
  const [x, y] = [refine(a, ends, ctx), refine(b, ends, ctx)];
  return { ends, cells: x.map((inside, k) => op(inside, y[k]!)) };
}

function union(a: RealSet, b: RealSet, ctx: Context): RealSet {
  return combine(a, b, ctx, (x, y) => x || y);
}

function intersection(a: RealSet, b: RealSet, ctx: Context): RealSet {
  return combine(a, b, ctx, (x, y) => x && y);
}

function minus(a: RealSet, b: RealSet, ctx: Context): RealSet {
  return combine(a, b, ctx, (x, y) => x && !y);
}

/** Removes endpoints between cells of equal membership. */
function dropRedundantEnds(set: RealSet): RealSet {
  const keep = set.ends.map((_, k) => {
    const [left, point, right] = set.cells.slice(2 * k, 2 * k + 3);
    return left !== point || point !== right;
  });
  const cells = [set.cells[0]!];
  for (const [k, kept] of keep.entries()) {
    if (kept) cells.push(set.cells[2 * k + 1]!, set.cells[2 * k + 2]!);
  }
  return { ends: set.ends.filter((_, k) => keep[k]), cells };
}

/** Sets are equal if their necessary endpoints and their cells are. */
export function compareSets(a: RealSet, b: RealSet, ctx: Context): Outcome {
  const [x, y] = [dropRedundantEnds(a), dropRedundantEnds(b)];
  if (x.ends.length !== y.ends.length || x.cells.some((cell, k) => cell !== y.cells[k])) {
    return different('structure');
  }
  return compareAll(x.ends, (end, k) =>
    Math.abs(end.value - y.ends[k]!.value) > 1e-6 * Math.max(1, Math.abs(end.value))
      ? different('probing')
      : compareExactly(end.node, y.ends[k]!.node, ctx),
  );
}

export function isEmpty(set: RealSet): boolean {
  return set.cells.every((inside) => !inside);
}

export function isLine(set: RealSet): boolean {
  return set.cells.every((inside) => inside);
}

/** The set that a tree denotes. @returns undefined if it is not a set of reals */
export function realSet(node: Node, ctx: Context): RealSet | undefined {
  switch (node.k) {
    case 'group':
      return intervalSet(node, ctx);
    case 'set':
      return finiteSet(node.items, ctx);
    case 'sym':
      return node.name === 'R' ? LINE : undefined;
    case 'numberset':
      return node.name === 'R' ? LINE : undefined;
    case 'setop':
      return setOperation(node, ctx);
    case 'relation':
      return relationSet(node, ctx);
    case 'list':
      return listSet(node, ctx);
    case 'setof':
      return builderSet(node, ctx);
    case 'add':
      return setWithoutPoints(node, ctx);
    default:
      return undefined;
  }
}

function intervalSet(node: NodeOf<'group'>, ctx: Context): RealSet | undefined {
  if (node.items.length !== 2 || node.open === '<') return undefined;
  const low = raySet(node.items[0]!, node.open === '[' ? '>=' : '>');
  const high = raySet(node.items[1]!, node.close === ']' ? '<=' : '<');
  if (!low || !high) return undefined;
  const [from, to] = [low.ends[0], high.ends[0]];
  const closed = node.open === '[' && node.close === ']';
  if (from && to && (from.value > to.value || (from.value === to.value && !closed))) {
    return undefined;
  }
  return intersection(low, high, ctx);
}

function finiteSet(items: readonly Node[], ctx: Context): RealSet | undefined {
  let set: RealSet | undefined = EMPTY;
  for (const item of items) {
    const point: RealSet | undefined = symbols(item).length === 0 ? raySet(item, '=') : undefined;
    set = set && point && union(set, point, ctx);
  }
  return set;
}

function setOperation(node: NodeOf<'setop'>, ctx: Context): RealSet | undefined {
  const sets = node.args.map(
    (arg) =>
      realSet(arg, ctx) ??
      (arg.k === 'group' || symbols(arg).length > 0 ? undefined : raySet(arg, '=')),
  );
  if (!sets.every((set) => set !== undefined)) return undefined;
  const operation = { union, intersection, minus }[node.op];
  return sets.reduce((a, b) => operation(a, b, ctx));
}

/** The set of `R - {0}`. */
function setWithoutPoints(node: NodeOf<'add'>, ctx: Context): RealSet | undefined {
  const [first, second] = node.args;
  if (node.args.length !== 2 || first?.k !== 'numberset' || second?.k !== 'neg') return undefined;
  const [a, b] = [realSet(first, ctx), realSet(second.arg, ctx)];
  return a && b && minus(a, b, ctx);
}

/** `1 < x <= 3`, `x >= 2`, `|x - 1| < 2`, `x in (1, 3)`: one symbol on one side, constants on the others. */
function relationSet(node: NodeOf<'relation'>, ctx: Context): RealSet | undefined {
  const at = node.args.findIndex((arg) => symbols(arg).length === 1);
  if (at < 0 || node.args.some((arg, k) => k !== at && symbols(arg).length > 0)) return undefined;
  if (node.ops.length === 1 && (node.ops[0] === 'in' || node.ops[0] === 'notin')) {
    return at === 0 && node.args[0]!.k === 'sym'
      ? membershipSet(node.args[1]!, node.ops[0], ctx)
      : undefined;
  }
  if (node.args.length > 3 || (node.args.length === 3 && at !== 1)) return undefined;
  let set: RealSet | undefined = LINE;
  for (const [k, op] of node.ops.entries()) {
    const other = node.args[k === at ? k + 1 : k]!;
    const part = sideSet(node.args[at]!, k === at ? op : mirrorOp(op), other, ctx);
    set = set && part && intersection(set, part, ctx);
  }
  return set;
}

/** The set of x with `side op bound`, for x, x + c and their absolute values. Other sides are not solved. */
function sideSet(side: Node, op: RelationOp, bound: Node, ctx: Context): RealSet | undefined {
  if (side.k === 'sym') return raySet(bound, op);
  if (side.k === 'fn' && side.name === 'abs') return absoluteSet(side.args[0]!, op, bound, ctx);
  const shift =
    side.k === 'add' && side.args.length === 2 && side.args[0]!.k === 'sym'
      ? side.args[1]!
      : undefined;
  return shift && raySet({ k: 'add', args: [bound, { k: 'neg', arg: shift }] }, op);
}

function absoluteSet(inner: Node, op: RelationOp, bound: Node, ctx: Context): RealSet | undefined {
  const value = realValue(bound);
  if (value === undefined || !(value > 0) || inner.k === 'fn') return undefined;
  const above = sideSet(inner, op, bound, ctx);
  const below = sideSet(inner, mirrorOp(op), { k: 'neg', arg: bound }, ctx);
  if (!above || !below) return undefined;
  const isBoth = op === '<' || op === '<=' || op === '!=';
  return isBoth ? intersection(above, below, ctx) : union(above, below, ctx);
}

function membershipSet(of: Node, op: 'in' | 'notin', ctx: Context): RealSet | undefined {
  const set = realSet(of, ctx);
  return set && (op === 'in' ? set : minus(LINE, set, ctx));
}

const MIRROR: Partial<Record<RelationOp, RelationOp>> = {
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
};
function mirrorOp(op: RelationOp): RelationOp {
  return MIRROR[op] ?? op;
}

/** "x < 1 or x > 3" is a union; "x > 1 and x < 3" and "x > 1, x != 2" intersect. All in the same symbol. */
function listSet(node: NodeOf<'list'>, ctx: Context): RealSet | undefined {
  const intervals = node.items.every((item) => item.k === 'group');
  if (!intervals && !node.items.every((item) => item.k === 'relation')) return undefined;
  if (new Set(node.items.flatMap((item) => symbols(item))).size > 1) return undefined;
  const sets = node.items.map((item) => realSet(item, ctx));
  if (!sets.every((set) => set !== undefined)) return undefined;
  const onlyPoints = node.items.every(
    (item) => item.k === 'relation' && item.ops.every((op) => op === '='),
  );
  const join = node.join === 'or' || intervals || onlyPoints ? union : intersection;
  return sets.reduce((a, b) => join(a, b, ctx));
}

function builderSet(node: NodeOf<'setof'>, ctx: Context): RealSet | undefined {
  const inner =
    node.element.k === 'relation' && node.element.ops[0] === 'in'
      ? node.element.args[0]!
      : node.element;
  if (inner.k !== 'sym') return undefined;
  const conditions = node.conditions.filter((c) => !isDomain(c));
  if (conditions.length === 0) return LINE;
  return conditions.length === 1
    ? realSet(conditions[0]!, ctx)
    : listSet({ k: 'list', items: conditions, join: 'and' }, ctx);
}

/** Whether a condition is `x in R`, which restricts nothing. */
function isDomain(node: Node): boolean {
  return (
    node.k === 'relation' &&
    node.ops[0] === 'in' &&
    node.args[1]?.k === 'numberset' &&
    node.args[1].name === 'R'
  );
}
