/**
 * The tree that an answer is read into: scalar expressions, collections and relations. It keeps the notation that matters
 * later: the digits that a decimal shows, an unevaluated fraction, the kind of brackets.
 */
import type { Rational } from './number/rational.ts';
import type { Unit } from './read/units.ts';

type ConstantName = 'pi' | 'e' | 'i' | 'infinity' | 'undefined';
export type NumberSet = 'R' | 'Z' | 'N' | 'Q' | 'C' | 'Z+';
export type RelationOp =
  | '='
  | '<'
  | '>'
  | '<='
  | '>='
  | '!='
  | 'in'
  | 'notin'
  | 'subset'
  | 'equiv'
  | 'to';

export type Node =
  /** `decimals`: digits after the point (absent for integers and repeating decimals). `digits`: significant digits. */
  | {
      readonly k: 'num';
      readonly value: Rational;
      readonly decimals?: number;
      readonly digits?: number;
    }
  | { readonly k: 'const'; readonly name: ConstantName }
  | { readonly k: 'sym'; readonly name: string }
  | { readonly k: 'add'; readonly args: readonly Node[] }
  | { readonly k: 'mul'; readonly args: readonly Node[]; readonly explicit?: boolean }
  | { readonly k: 'div'; readonly num: Node; readonly den: Node }
  | { readonly k: 'neg'; readonly arg: Node }
  | { readonly k: 'pow'; readonly base: Node; readonly exp: Node }
  /** A named function, `root` and `log` with [argument, index or base]. */
  | { readonly k: 'fn'; readonly name: string; readonly args: readonly Node[] }
  /** Sum or product of `body` over the integers from..to. */
  | {
      readonly k: 'fold';
      readonly op: 'sum' | 'prod';
      readonly index: string;
      readonly from: Node;
      readonly to: Node;
      readonly body: Node;
    }
  /** `left ± right`; `flip` for ∓. */
  | { readonly k: 'pm'; readonly left?: Node; readonly right: Node; readonly flip: boolean }
  | { readonly k: 'mixed'; readonly whole: Node; readonly part: Node }
  | { readonly k: 'percent'; readonly arg: Node }
  | { readonly k: 'quantity'; readonly arg: Node; readonly unit: Unit }
  | { readonly k: 'based'; readonly digits: string; readonly base: number }
  | { readonly k: 'ratio'; readonly args: readonly Node[] }
  /** Items without brackets: `1, 2`, `x = 1 or x = 2`. */
  | {
      readonly k: 'list';
      readonly items: readonly Node[];
      readonly join: 'comma' | 'semicolon' | 'or' | 'and';
    }
  /** Items in brackets: a tuple, vector or interval. The type of the reference decides which. */
  | {
      readonly k: 'group';
      readonly open: '(' | '[' | '<';
      readonly close: ')' | ']' | '>';
      readonly items: readonly Node[];
    }
  | { readonly k: 'set'; readonly items: readonly Node[] }
  | { readonly k: 'setof'; readonly element: Node; readonly conditions: readonly Node[] }
  | {
      readonly k: 'setop';
      readonly op: 'union' | 'intersection' | 'minus';
      readonly args: readonly Node[];
    }
  | { readonly k: 'numberset'; readonly name: NumberSet }
  | { readonly k: 'relation'; readonly ops: readonly RelationOp[]; readonly args: readonly Node[] }
  | { readonly k: 'matrix'; readonly rows: readonly (readonly Node[])[] }
  | {
      readonly k: 'cases';
      readonly rows: readonly { readonly value: Node; readonly when?: Node }[];
    }
  | { readonly k: 'words'; readonly text: string };

export type NodeOf<K extends Node['k']> = Extract<Node, { readonly k: K }>;

const SCALAR_KINDS: ReadonlySet<Node['k']> = new Set([
  'num',
  'const',
  'sym',
  'add',
  'mul',
  'div',
  'neg',
  'pow',
  'fn',
  'fold',
  'mixed',
  'percent',
] satisfies Node['k'][]);

/** Whether the node denotes one number or one symbolic expression. */
export function isScalar(node: Node): boolean {
  return SCALAR_KINDS.has(node.k);
}

/** The direct children, in order. */
function children(node: Node): readonly Node[] {
  switch (node.k) {
    case 'add':
    case 'mul':
    case 'fn':
    case 'ratio':
    case 'setop':
    case 'relation':
      return node.args;
    case 'div':
      return [node.num, node.den];
    case 'neg':
    case 'percent':
    case 'quantity':
      return [node.arg];
    case 'pow':
      return [node.base, node.exp];
    case 'pm':
      return node.left ? [node.left, node.right] : [node.right];
    case 'mixed':
      return [node.whole, node.part];
    case 'fold':
      return [node.from, node.to, node.body];
    case 'list':
    case 'group':
    case 'set':
      return node.items;
    case 'setof':
      return [node.element, ...node.conditions];
    case 'matrix':
      return node.rows.flat();
    case 'cases':
      return node.rows.flatMap((row) => (row.when ? [row.value, row.when] : [row.value]));
    default:
      return [];
  }
}

/** A copy of the node with its direct children mapped. */
export function mapChildren(node: Node, f: (child: Node) => Node): Node {
  switch (node.k) {
    case 'add':
    case 'mul':
    case 'fn':
    case 'ratio':
    case 'setop':
    case 'relation':
      return { ...node, args: node.args.map(f) };
    case 'div':
      return { ...node, num: f(node.num), den: f(node.den) };
    case 'neg':
    case 'percent':
    case 'quantity':
      return { ...node, arg: f(node.arg) };
    case 'pow':
      return { ...node, base: f(node.base), exp: f(node.exp) };
    case 'pm':
      return node.left
        ? { ...node, left: f(node.left), right: f(node.right) }
        : { ...node, right: f(node.right) };
    case 'mixed':
      return { ...node, whole: f(node.whole), part: f(node.part) };
    case 'fold':
      return { ...node, from: f(node.from), to: f(node.to), body: f(node.body) };
    case 'list':
    case 'group':
    case 'set':
      return { ...node, items: node.items.map(f) };
    case 'setof':
      return { ...node, element: f(node.element), conditions: node.conditions.map(f) };
    case 'matrix':
      return { ...node, rows: node.rows.map((row) => row.map(f)) };
    case 'cases':
      return {
        ...node,
        rows: node.rows.map((r) =>
          r.when ? { value: f(r.value), when: f(r.when) } : { value: f(r.value) },
        ),
      };
    default:
      return node;
  }
}

/** Whether the node or any node below it satisfies the test. */
export function some(node: Node, test: (n: Node) => boolean): boolean {
  return test(node) || children(node).some((child) => some(child, test));
}

/** The names of the free symbols, sorted. The index of a sum is bound. */
export function symbols(node: Node): readonly string[] {
  const found = new Set<string>();
  const walk = (n: Node): void => {
    if (n.k === 'sym') found.add(n.name);
    if (n.k === 'fold') {
      for (const name of symbols(n.body)) if (name !== n.index) found.add(name);
      walk(n.from);
      walk(n.to);
    } else {
      for (const child of children(n)) walk(child);
    }
  };
  walk(node);
  return [...found].sort();
}

/** A copy of the tree with symbols replaced by name. */
export function substitute(node: Node, replace: (name: string) => Node | undefined): Node {
  if (node.k === 'sym') return replace(node.name) ?? node;
  return mapChildren(node, (child) => substitute(child, replace));
}
