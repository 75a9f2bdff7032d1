/**
 * Compares equations, inequalities, function definitions and piecewise functions. An equation is compared as left minus
 * right up to a constant factor; an inequality up to a positive one. A solved reference (`x = 2`) needs a solved answer:
 * `2x = 4` restates the question.
 */
import { type Node, type NodeOf, symbols } from '../node.ts';
import { exactValue } from '../number/exact.ts';
import { realValue } from '../number/probe.ts';
import { sign } from '../number/rational.ts';
import { type Compare, compareUnordered, renameSymbol } from './collection.ts';
import { type Context, compareAll, compareAny, different, equal, type Outcome } from './outcome.ts';
import { compareExactly } from './scalar.ts';

type Relation = NodeOf<'relation'>;

/** The name and value of a solved equation, such as `x = 5`. @returns undefined if it is not solved */
function findSolvedForm(
  node: Relation,
): { readonly name: string; readonly value: Node } | undefined {
  if (node.ops.length !== 1 || node.ops[0] !== '=') return undefined;
  const [left, right] = [node.args[0]!, node.args[1]!];
  if (left.k === 'sym' && !symbols(right).includes(left.name)) {
    return { name: left.name, value: right };
  }
  if (right.k === 'sym' && !symbols(left).includes(right.name)) {
    return { name: right.name, value: left };
  }
  return undefined;
}

/** The definition `f(x) = ...`, which is read as the product f*x or as f times a group of symbols. */
export function findDefinition(
  node: Relation,
): { readonly parameters: readonly string[]; readonly body: Node } | undefined {
  if (node.ops.length !== 1 || (node.ops[0] !== '=' && node.ops[0] !== 'to')) return undefined;
  const left = node.args[0]!;
  if (node.ops[0] === 'to') {
    return left.k === 'sym' ? { parameters: [left.name], body: node.args[1]! } : undefined;
  }
  if (
    left.k !== 'mul' ||
    left.args.length !== 2 ||
    left.args[0]!.k !== 'sym' ||
    !/^[fghFGHPQpq](?:_.+|'+)?$/.test(left.args[0]!.name)
  ) {
    return undefined;
  }
  const argument = left.args[1]!;
  const parameters = argument.k === 'group' ? argument.items : [argument];
  if (!parameters.every((p) => p.k === 'sym')) return undefined;
  return { parameters: parameters.map((p) => p.name), body: node.args[1]! };
}

/** The value that a relation states: the right side of `x = 5` or `f(x) = ...`, or the end of a true chain `x = 2 + 3 = 5`. */
export function bareValue(node: Relation, ctx: Context): Node | undefined {
  if (!node.ops.every((op) => op === '=')) return undefined;
  const backwards =
    node.args.length === 2 && node.args[0]!.k !== 'sym' ? findSolvedForm(node) : undefined;
  if (backwards) return backwards.value;
  const last = node.args.at(-1)!;
  const before = node.args.slice(0, -1);
  const named =
    before[0]!.k === 'sym' ||
    before[0]!.k === 'fn' ||
    before[0]!.k === 'words' ||
    before[0]!.k === 'ratio' ||
    isDerivative(before[0]!) ||
    (before[0]!.k === 'setop' && before[0]!.args.every((arg) => arg.k === 'sym')) ||
    findDefinition({ ...node, ops: ['='], args: [before[0]!, last] }) !== undefined ||
    isName(before[0]!);
  if (!named && isSameTree(before[0]!, last)) return undefined;
  const checked = named ? before.slice(1) : before;
  if (!named && symbols(before[0]!).length > 0) return undefined;
  const consistent = checked.every((side) => compareExactly(side, last, ctx).result === 'equal');
  if (!consistent) return undefined;
  return named && before[0]!.k === 'sym' && symbols(last).includes(before[0]!.name)
    ? undefined
    : last;
}

const NAME_PARTS = new Set<Node['k']>(['sym', 'group', 'num', 'div', 'words', 'const']);

/** Whether a tree is `\\frac{dy}{dx}`. */
function isDerivative(node: Node): boolean {
  return (
    node.k === 'div' &&
    [node.num, node.den].every(
      (part) =>
        part.k === 'mul' &&
        part.args.length === 2 &&
        part.args[0]!.k === 'sym' &&
        part.args[0]!.name === 'd',
    )
  );
}

/** Whether a tree is the f^{-1} of `f^{-1}(x)`. */
function isInverse(node: Node): boolean {
  return node.k === 'pow' && node.base.k === 'sym';
}

/** Whether a product of symbols names a quantity, as in `AB = 5` and `P(A) = 1/2`. */
function isName(node: Node): boolean {
  return (
    node.k === 'mul' &&
    (node.args[0]!.k === 'sym' || node.args[0]!.k === 'words' || isInverse(node.args[0]!)) &&
    node.args.slice(1).every((arg) => NAME_PARTS.has(arg.k))
  );
}

/** Whether two trees are identical: `7 = 7` states nothing. */
function isSameTree(a: Node, b: Node): boolean {
  return treeText(a) === treeText(b);
}

function treeText(node: Node): string {
  return JSON.stringify(node, (_, v) => (typeof v === 'bigint' ? `${v}n` : v));
}

export function compareRelations(
  a: Relation,
  b: Relation,
  ctx: Context,
  compare: Compare,
): Outcome {
  const functions = [findDefinition(a), findDefinition(b)];
  if (functions[0] && functions[1]) return compareDefinitions(functions[0], functions[1], compare);
  const [x, y] = [findSolvedForm(a), findSolvedForm(b)];
  if (functions[0] && y?.name === 'y') return compare(functions[0].body, y.value);
  if (functions[1] && x?.name === 'y') return compare(x.value, functions[1].body);
  if (x && y && x.name === y.name) return compare(x.value, y.value);
  if (x && symbols(x.value).length === 0 && !y) {
    return different('guard', 'the reference is solved, the answer is not');
  }
  if (a.ops.length !== b.ops.length) return different('structure', 'chains of different length');
  if (a.ops.length > 1) {
    return compareAny([
      () => compareChains(a, b, compare),
      () => compareChains(a, mirrorRelation(b), compare),
    ]);
  }
  return compareSingle(a, b, ctx, compare);
}

function compareDefinitions(
  a: { parameters: readonly string[]; body: Node },
  b: { parameters: readonly string[]; body: Node },
  compare: Compare,
): Outcome {
  if (a.parameters.length !== b.parameters.length) {
    return different('structure', 'functions of different arity');
  }
  const body = b.parameters.reduce((node, name, k) => renameSymbol(node, name, `\0${k}`), b.body);
  const named = a.parameters.reduce((node, name, k) => renameSymbol(node, `\0${k}`, name), body);
  return compare(a.body, named);
}

function compareChains(a: Relation, b: Relation, compare: Compare): Outcome {
  return a.ops.some((op, k) => op !== b.ops[k])
    ? different('structure', 'different relation signs')
    : compareAll(a.args, (arg, k) => compare(arg, b.args[k]!));
}

const MIRROR: Readonly<Record<string, Relation['ops'][number]>> = {
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
};

function mirrorRelation(node: Relation): Relation {
  return {
    ...node,
    args: [...node.args].reverse(),
    ops: [...node.ops].reverse().map((op) => MIRROR[op] ?? op),
  };
}

function compareSingle(a: Relation, b: Relation, ctx: Context, compare: Compare): Outcome {
  const [op, other] = [a.ops[0]!, b.ops[0]!];
  if (op === 'equiv' && other === 'equiv') return compareCongruences(a, b, compare);
  if (op === other && compareAll(a.args, (arg, k) => compare(arg, b.args[k]!)).result === 'equal') {
    return equal('structure');
  }
  if (op === 'in' || op === 'notin' || op === 'subset' || op === 'to' || op === 'equiv') {
    return op === other
      ? compareAll(a.args, (arg, k) => compare(arg, b.args[k]!))
      : different('structure', 'different relation signs');
  }
  const flip = op !== other;
  if (flip && MIRROR[op] !== other) return different('structure', 'different relation signs');
  return compareUpToFactor(
    leftMinusRight(a),
    leftMinusRight(b),
    op === '=' || op === '!=' ? 'any' : flip ? 'negative' : 'positive',
    ctx,
  );
}

/** Compares x = a mod m: the same left side and modulus, and congruent residues. */
function compareCongruences(a: Relation, b: Relation, compare: Compare): Outcome {
  const [x, y] = [a.args[1]!, b.args[1]!];
  const moduli = x.k === 'fn' && y.k === 'fn' && x.name === 'mod' && y.name === 'mod';
  if (!moduli) return compareAll(a.args, (arg, k) => compare(arg, b.args[k]!));
  return compareAll([0, 1, 2], (part) =>
    part === 0
      ? compare(a.args[0]!, b.args[0]!)
      : part === 1
        ? compare(x.args[1]!, y.args[1]!)
        : compare(x, y),
  );
}

function leftMinusRight(node: Relation): Node {
  return {
    k: 'add',
    args: [node.args[0]!, { k: 'neg', arg: node.args[1]! }],
  };
}

/** Whether b is a constant multiple of a with the given sign. An identity (0 = 0) is not a multiple. */
function compareUpToFactor(
  a: Node,
  b: Node,
  factor: 'any' | 'positive' | 'negative',
  ctx: Context,
): Outcome {
  const names = symbols(a);
  if (names.length === 0 || names.join() !== symbols(b).join()) {
    return different('structure', 'different symbols');
  }
  const zero: Node = { k: 'num', value: { n: 0n, d: 1n } };
  if (compareExactly(b, zero, ctx).result === 'equal') {
    return different('guard', 'the answer is always true');
  }
  const at = fixedPlaces(names);
  const quotient: Node = { k: 'div', num: substituteAt(b, at), den: substituteAt(a, at) };
  const scale = exactValue(quotient);
  const positive = scale ? sign(scale) > 0 : (realValue(quotient) ?? Number.NaN) > 0;
  if (factor !== 'any' && positive !== (factor === 'positive')) {
    return different('structure', 'the other direction');
  }
  const left: Node = { k: 'mul', args: [a, substituteAt(b, at)] };
  const right: Node = { k: 'mul', args: [b, substituteAt(a, at)] };
  return compareExactly(left, right, ctx);
}

const PLACES = [3n, 7n, 11n, 19n, 23n, 31n];

/** A fixed place at which common equations do not hold. */
function fixedPlaces(names: readonly string[]): ReadonlyMap<string, Node> {
  return new Map(
    names.map((name, k) => [
      name,
      { k: 'num', value: { n: PLACES[k % 6]! * 37n + BigInt(k), d: 41n } },
    ]),
  );
}

function substituteAt(node: Node, at: ReadonlyMap<string, Node>): Node {
  if (node.k === 'sym') return at.get(node.name) ?? node;
  return mapAll(node, (child) => substituteAt(child, at));
}

function mapAll(node: Node, f: (n: Node) => Node): Node {
  switch (node.k) {
    case 'add':
    case 'mul':
    case 'fn':
      return { ...node, args: node.args.map(f) };
    case 'neg':
    case 'percent':
      return { ...node, arg: f(node.arg) };
    case 'div':
      return { ...node, num: f(node.num), den: f(node.den) };
    case 'pow':
      return { ...node, base: f(node.base), exp: f(node.exp) };
    default:
      return node;
  }
}

/** Compares piecewise functions: the same pieces in any order, with equal values and conditions. */
export function compareCases(a: NodeOf<'cases'>, b: NodeOf<'cases'>, compare: Compare): Outcome {
  const pack = (node: NodeOf<'cases'>): Node[] =>
    node.rows.map((row) => ({
      k: 'group',
      open: '<',
      close: '>',
      items: row.when ? [row.value, row.when] : [row.value],
    }));
  const rows = compareUnordered(pack(a), pack(b), (x, y) =>
    x.k === 'group' && y.k === 'group' && x.items.length === y.items.length
      ? compareAll(x.items, (item, k) => compare(item, y.items[k]!))
      : different('structure'),
  );
  return rows.result === 'equal' ? equal(rows.stage) : rows;
}
