/** Compares matrices, ratios, numbers in another base and piecewise functions. Leaves out: how their items are compared. */
import { isScalar, type Node, type NodeOf } from '../node.ts';
import { exactValue } from '../number/exact.ts';
import { type Compare, compareOrdered, vectorItems } from './collection.ts';
import { type Context, different, equal, type Outcome, TYPE_MISMATCH } from './outcome.ts';
import { bareValue, findDefinition } from './relation.ts';

export function compareToMatrix(
  a: NodeOf<'matrix'>,
  b: Node,
  ctx: Context,
  compare: Compare,
): Outcome {
  const rows = b.k === 'matrix' ? b.rows : matrixRows(b);
  if (rows && rows.length === a.rows.length && rows[0]!.length === a.rows[0]!.length) {
    return compareOrdered(a.rows.flat(), rows.flat(), compare);
  }
  const [x, y] = [
    vectorItems(a),
    vectorItems(b) ?? (b.k === 'group' || b.k === 'list' ? b.items : undefined),
  ];
  if (x && y) return compareOrdered(x, y, compare);
  if (b.k === 'relation') {
    const value = bareValue(b, ctx);
    if (value) return compare(a, value);
  }
  return different('structure', 'another shape');
}

/** The rows of `[[1, 2], [3, 4]]`. */
function matrixRows(node: Node): readonly (readonly Node[])[] | undefined {
  if (node.k !== 'group' || !node.items.every((item) => item.k === 'group')) return undefined;
  const rows = node.items.map((item) => (item.k === 'group' ? item.items : []));
  return rows.every((row) => row.length === rows[0]!.length && row.length > 0) ? rows : undefined;
}

/** Compares a:b:c up to a common factor. */
export function compareToRatio(a: NodeOf<'ratio'>, b: Node, compare: Compare): Outcome {
  const items =
    b.k === 'ratio' ? b.args : isScalar(b) && a.args.length === 2 ? asQuotient(b) : undefined;
  if (!items || items.length !== a.args.length) return TYPE_MISMATCH;
  const [first, other] = [a.args[0]!, items[0]!];
  return compareOrdered(
    a.args.slice(1).map((x): Node => ({ k: 'mul', args: [x, other] })),
    items.slice(1).map((y): Node => ({ k: 'mul', args: [y, first] })),
    compare,
  );
}

function asQuotient(node: Node): readonly Node[] {
  return node.k === 'div' ? [node.num, node.den] : [node, { k: 'num', value: { n: 1n, d: 1n } }];
}

export function compareBased(a: NodeOf<'based'>, b: NodeOf<'based'>): Outcome {
  return a.base === b.base && a.digits === b.digits
    ? equal('exact')
    : different('exact', 'other digits or another base');
}

/** The question asks for a base: the digits alone match, their value in another base does not. */
export function compareToDigits(a: NodeOf<'based'>, b: Node): Outcome {
  const value = b.k === 'num' && b.decimals === undefined ? exactValue(b) : undefined;
  return value && value.d === 1n && value.n.toString() === a.digits
    ? equal('exact')
    : different('exact', `not in base ${a.base}`);
}

/** Compares a piecewise reference with `f(x) = cases`. */
export function compareDefined(
  a: NodeOf<'cases'>,
  b: Node,
  ctx: Context,
  compare: Compare,
): Outcome {
  const body = b.k === 'relation' ? (findDefinition(b)?.body ?? bareValue(b, ctx)) : undefined;
  return body ? compare(a, body) : TYPE_MISMATCH;
}
