/**
 * Compares answers of several items: lists, sets, tuples, plus-minus, and other notations of these (`x = 1 or x = 2`,
 * `x \in \{1, 2\}`, a column vector). The comparison of items is a parameter, so this file does not know their types.
 */
import { isScalar, type Node, type NodeOf, some, substitute } from '../node.ts';
import { exactValue } from '../number/exact.ts';
import {
  compareAll,
  different,
  equal,
  laterStage,
  type Outcome,
  type Stage,
  undecided,
} from './outcome.ts';

export type Compare = (a: Node, b: Node) => Outcome;

/** Expands `\pm` into the upper and the lower signs. A tree without it stays one tree. */
function expandPlusMinus(node: Node): readonly Node[] {
  if (!some(node, (n) => n.k === 'pm')) return [node];
  return [chooseSigns(node, true), chooseSigns(node, false)];
}

function chooseSigns(node: Node, upper: boolean): Node {
  if (node.k === 'pm') {
    const right = chooseSigns(node.right, upper);
    const term = upper === !node.flip ? right : negate(right);
    return node.left ? { k: 'add', args: [chooseSigns(node.left, upper), term] } : term;
  }
  return chooseInChildren(node, upper);
}

/** Negates a tree; a tuple item by item. */
function negate(node: Node): Node {
  return node.k === 'group' ? { ...node, items: node.items.map(negate) } : { k: 'neg', arg: node };
}

function chooseInChildren(node: Node, upper: boolean): Node {
  switch (node.k) {
    case 'add':
    case 'mul':
    case 'fn':
    case 'relation':
      return { ...node, args: node.args.map((a) => chooseSigns(a, upper)) };
    case 'neg':
    case 'quantity':
    case 'percent':
      return { ...node, arg: chooseSigns(node.arg, upper) };
    case 'div':
      return { ...node, num: chooseSigns(node.num, upper), den: chooseSigns(node.den, upper) };
    case 'pow':
      return { ...node, base: chooseSigns(node.base, upper), exp: chooseSigns(node.exp, upper) };
    case 'group':
    case 'list':
    case 'set':
      return { ...node, items: node.items.map((a) => chooseSigns(a, upper)) };
    default:
      return node;
  }
}

/** The values that an answer lists, in their order. @returns undefined if it does not list values */
export function listValues(node: Node): readonly Node[] | undefined {
  if (node.k === 'set' || node.k === 'list') return flattenItems(node.items);
  if (node.k === 'pm' || some(node, (n) => n.k === 'pm'))
    return flattenItems(expandPlusMinus(node));
  if (node.k === 'relation') return valuesOfRelation(node);
  if (node.k === 'setof') return listIntegers(node);
  if (node.k === 'setop' && node.op === 'union' && node.args.every((a) => a.k === 'set')) {
    return node.args.flatMap((a) => listValues(a) ?? []);
  }
  return undefined;
}

const MAX_LISTED = 64;

/** The members of `{x in Z | 1 <= x <= 3}`, if both ends are integers and there are few. */
function listIntegers(node: NodeOf<'setof'>): readonly Node[] | undefined {
  const parts = [node.element, ...node.conditions];
  const whole = parts.some(
    (p) =>
      p.k === 'relation' &&
      p.ops[0] === 'in' &&
      p.args[1]!.k === 'numberset' &&
      /^[ZN]$/.test(p.args[1]!.name),
  );
  const range = node.conditions.find(
    (p) => p.k === 'relation' && p.args.length === 3 && p.args[1]!.k === 'sym',
  );
  if (!whole || range?.k !== 'relation' || parts.length > 3) return undefined;
  const [low, high] = [exactValue(range.args[0]!), exactValue(range.args[2]!)];
  if (
    !low ||
    !high ||
    low.d !== 1n ||
    high.d !== 1n ||
    !range.ops.every((op) => op === '<' || op === '<=')
  ) {
    return undefined;
  }
  const from = low.n + (range.ops[0] === '<' ? 1n : 0n);
  const to = high.n - (range.ops[1] === '<' ? 1n : 0n);
  if (to - from >= MAX_LISTED) return undefined;
  return Array.from(
    { length: Math.max(0, Number(to - from) + 1) },
    (_, k): Node => ({ k: 'num', value: { n: from + BigInt(k), d: 1n } }),
  );
}

/** Removes `x =` from items if all of them name the same symbol, or only the first does. */
function flattenItems(items: readonly Node[]): readonly Node[] {
  const expanded = items.flatMap(expandPlusMinus);
  const names = new Set(expanded.filter(isAssignment).map((item) => nameOf(item)));
  const bare = expanded.filter((item) => !isAssignment(item));
  const first = expanded[0];
  const strip =
    names.size === 1 &&
    (bare.length === 0 || (first && isAssignment(first) && bare.every(isScalar)));
  return strip ? expanded.map((item) => (isAssignment(item) ? item.args[1]! : item)) : expanded;
}

function isAssignment(node: Node): node is NodeOf<'relation'> {
  return (
    node.k === 'relation' &&
    node.ops.length === 1 &&
    node.ops[0] === '=' &&
    (node.args[0]!.k === 'sym' || node.args[0]!.k === 'fn')
  );
}

function nameOf(node: NodeOf<'relation'>): string {
  return node.args[0]!.k === 'sym'
    ? node.args[0]!.name
    : JSON.stringify(node.args[0], (_, v) => (typeof v === 'bigint' ? `${v}` : v));
}

/** The values of `x in {1, 2}` and `x = \pm 2`. */
function valuesOfRelation(node: NodeOf<'relation'>): readonly Node[] | undefined {
  if (node.ops.length !== 1 || node.args[0]!.k !== 'sym') return undefined;
  const right = node.args[1]!;
  if (node.ops[0] === 'in') return right.k === 'set' ? right.items : undefined;
  if (node.ops[0] !== '=') return undefined;
  return right.k === 'set' || right.k === 'pm' ? listValues(right) : undefined;
}

/** Removes items that equal an earlier one, as in a set. */
export function dropDuplicates(items: readonly Node[], compare: Compare): readonly Node[] {
  const kept: Node[] = [];
  for (const item of items) {
    if (!kept.some((other) => compare(other, item).result === 'equal')) kept.push(item);
  }
  return kept;
}

/** Most items that are matched in any order: the number of pairs is quadratic. */
const MAX_UNORDERED = 64;

/** Finds a perfect matching of equal items. Equality is transitive here, so a greedy choice suffices. */
export function compareUnordered(
  a: readonly Node[],
  b: readonly Node[],
  compare: Compare,
): Outcome {
  if (a.length !== b.length) {
    return different('structure', `${b.length} items instead of ${a.length}`);
  }
  if (a.length > MAX_UNORDERED) return compareAll(a, (item, k) => compare(item, b[k]!));
  const left = [...b];
  let stage: Stage = 'structure';
  let open: Outcome | undefined;
  for (const item of a) {
    const outcomes = left.map((other) => compare(item, other));
    const at = outcomes.findIndex((o) => o.result === 'equal');
    if (at >= 0) {
      stage = laterStage(stage, outcomes[at]!.stage);
      left.splice(at, 1);
    } else {
      open = outcomes.find((o) => o.result === 'undecided');
      if (!open) return different('structure', 'an item has no match');
    }
  }
  return open ? undecided(open.stage, open.note) : equal(stage);
}

export function compareOrdered(a: readonly Node[], b: readonly Node[], compare: Compare): Outcome {
  if (a.length !== b.length) {
    return different('structure', `${b.length} items instead of ${a.length}`);
  }
  return compareAll(a, (item, k) => compare(item, b[k]!));
}

/** The entries of a matrix with one row or one column. */
export function vectorItems(node: Node): readonly Node[] | undefined {
  if (node.k !== 'matrix') return undefined;
  if (node.rows.length === 1) return node.rows[0];
  return node.rows.every((row) => row.length === 1) ? node.rows.map((row) => row[0]!) : undefined;
}

/** The values of `x = 2, y = 3` in the order of the names, as the tuple (2, 3). */
export function valuesByName(node: Node): readonly Node[] | undefined {
  const items = node.k === 'list' || node.k === 'group' ? node.items : [];
  if (items.length < 2 || !items.every(isAssignment)) return undefined;
  const names = items.map(nameOf);
  if (new Set(names).size !== names.length) return undefined;
  return items
    .map((item, k) => ({ item, name: names[k]! }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ item }) => item.args[1]!);
}

/** Replaces `(x, y) = (2, 3)` by (2, 3). */
export function tupleOf(node: Node): Node {
  const pair =
    node.k === 'relation' && node.ops.length === 1 && node.ops[0] === '=' ? node.args : undefined;
  return pair?.[0]?.k === 'group' && pair[0].items.every((item) => item.k === 'sym')
    ? pair[1]!
    : node;
}

/** Renames one symbol. */
export function renameSymbol(node: Node, from: string, to: string): Node {
  return substitute(node, (name) => (name === from ? { k: 'sym', name: to } : undefined));
}
