/**
 * Compares solutions with an integer parameter, `x = \frac{\pi}{4} + k\pi, k \in \mathbb{Z}`. They are equal up to the name of
 * the parameter, the sign of its step and a shift by whole steps. Leaves out: several families that are equal only together.
 */
import { type Node, type NodeOf, substitute, symbols } from '../node.ts';
import { exactValue } from '../number/exact.ts';
import { preciseValue } from '../number/probe.ts';
import {
  absolute,
  add,
  floor,
  compare as order,
  type Rational,
  ratio,
  subtract,
} from '../number/rational.ts';
import { type Compare, renameSymbol } from './collection.ts';
import { type Context, compareAny, different, equal, type Outcome } from './outcome.ts';
import { compareExactly } from './scalar.ts';

interface Family {
  readonly body: Node;
  readonly parameter: string;
}

/** The family of a list that ends in `k in Z`; undefined for other nodes. */
function findFamily(node: Node): Family | undefined {
  if (node.k !== 'list' || node.items.length !== 2) return undefined;
  const [body, domain] = node.items;
  if (domain?.k !== 'relation' || domain.ops[0] !== 'in' || domain.args[0]?.k !== 'sym') {
    return undefined;
  }
  const set = domain.args[1]!;
  const whole =
    (set.k === 'numberset' && set.name === 'Z') || (set.k === 'sym' && set.name === 'Z');
  return whole && body ? { body: withoutName(body), parameter: domain.args[0].name } : undefined;
}

function withoutName(node: Node): Node {
  return node.k === 'relation' &&
    node.ops.length === 1 &&
    node.ops[0] === '=' &&
    node.args[0]!.k === 'sym'
    ? node.args[1]!
    : node;
}

/** @returns undefined if the reference is not a family */
export function compareFamilies(
  a: Node,
  b: Node,
  ctx: Context,
  compare: Compare,
): Outcome | undefined {
  const x = findFamily(a);
  if (!x) return undefined;
  const y = findFamily(b) ?? impliedFamily(b, x);
  if (!y) return different('structure', 'not a family of solutions');
  const body =
    y.parameter === x.parameter ? y.body : renameSymbol(y.body, y.parameter, x.parameter);
  return compareAny([
    () => compare(x.body, body),
    () => compareShifted(x.body, body, x.parameter, ctx),
  ]);
}

/** A family without `k in Z`, if it has a symbol of the same name or one of k, m, n. */
function impliedFamily(node: Node, like: Family): Family | undefined {
  const body = withoutName(node);
  const names = symbols(body);
  if (names.includes(like.parameter)) return { body, parameter: like.parameter };
  const letter = names.find((name) => /^[kmn]$/.test(name));
  return letter ? { body, parameter: letter } : undefined;
}

/** Compares a + bk with c + dk: d must be b or -b, and (a - c)/b an integer. */
function compareShifted(x: Node, y: Node, parameter: string, ctx: Context): Outcome {
  const at = (node: Node, k: number): Node =>
    substitute(node, (name) =>
      name === parameter ? { k: 'num', value: ratio(BigInt(k)) } : undefined,
    );
  const minus = (p: Node, q: Node): Node => ({ k: 'add', args: [p, { k: 'neg', arg: q }] });
  const [step, other] = [minus(at(x, 1), at(x, 0)), minus(at(y, 1), at(y, 0))];
  const linear = [x, y].every(
    (f) =>
      compareExactly(minus(at(f, 2), at(f, 1)), minus(at(f, 1), at(f, 0)), ctx).result === 'equal',
  );
  const same = [other, { k: 'neg', arg: other } satisfies NodeOf<'neg'>].some(
    (s) => compareExactly(step, s, ctx).result === 'equal',
  );
  if (!linear || !same) return different('structure', 'another step');
  const shift: Node = { k: 'div', num: minus(at(x, 0), at(y, 0)), den: step };
  const value = exactValue(shift) ?? preciseValue(shift);
  return value && isWhole(value)
    ? equal('high-precision')
    : different('structure', 'not shifted by a whole step');
}

const TINY: Rational = ratio(1n, 10n ** 40n);

function isWhole(q: Rational): boolean {
  const nearest: Rational = { n: floor(add(q, ratio(1n, 2n))), d: 1n };
  return order(absolute(subtract(q, nearest)), TINY) <= 0;
}
