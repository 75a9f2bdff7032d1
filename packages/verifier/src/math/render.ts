/** Describes trees as short text for people: "the interval [1, 3)". Deterministic, and never used to decide anything. */
import { isScalar, type Node } from './node.ts';
import { formatRational } from './number/rational.ts';

/** Longest description, in UTF-16 code units. */
const MAX_CHARS = 120;

/** The type and the content of a tree. */
export function describeNode(node: Node): string {
  const text = shorten(render(node));
  const type = typeName(node);
  return type === '' ? text : `${type} ${text}`;
}

function shorten(text: string): string {
  return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS - 1)}…` : text;
}

function typeName(node: Node): string {
  switch (node.k) {
    case 'num':
      return 'the number';
    case 'list':
      return 'the list';
    case 'set':
      return 'the set';
    case 'setof':
      return 'the set';
    case 'setop':
      return 'the set';
    case 'numberset':
      return 'the set';
    case 'group':
      return node.open === '(' && node.close === ')'
        ? 'the tuple or interval'
        : node.open === '<'
          ? 'the vector'
          : 'the interval';
    case 'relation':
      return node.ops.every((op) => op === '=') ? 'the equation' : 'the relation';
    case 'matrix':
      return 'the matrix';
    case 'cases':
      return 'the piecewise value';
    case 'ratio':
      return 'the ratio';
    case 'based':
      return 'the numeral';
    case 'quantity':
      return 'the quantity';
    case 'words':
      return 'the words';
    case 'pm':
      return 'the values';
    default:
      return isScalar(node) ? 'the expression' : '';
  }
}

function join(nodes: readonly Node[], by: string): string {
  return nodes.map(render).join(by);
}

function factor(node: Node): string {
  return node.k === 'add' || node.k === 'neg' ? `(${render(node)})` : render(node);
}

function render(node: Node): string {
  switch (node.k) {
    case 'num':
      return shorten(formatRational(node.value));
    case 'const':
      return node.name;
    case 'sym':
      return node.name;
    case 'add':
      return join(node.args, ' + ').replaceAll('+ -', '- ');
    case 'mul':
      return node.args.map(factor).join('·');
    case 'div':
      return `${factor(node.num)}/${factor(node.den)}`;
    case 'neg':
      return `-${factor(node.arg)}`;
    case 'pow':
      return `${factor(node.base)}^${factor(node.exp)}`;
    case 'fn':
      return `${node.name}(${join(node.args, ', ')})`;
    case 'fold':
      return `${node.op}(${node.index} = ${render(node.from)}..${render(node.to)}: ${render(node.body)})`;
    case 'pm':
      return `${node.left ? `${render(node.left)} ` : ''}± ${render(node.right)}`;
    case 'mixed':
      return `${render(node.whole)} ${render(node.part)}`;
    case 'percent':
      return `${render(node.arg)}%`;
    case 'quantity':
      return `${render(node.arg)} ${node.unit.label}`;
    case 'based':
      return `${node.digits} in base ${node.base}`;
    case 'ratio':
      return join(node.args, ':');
    case 'list':
      return join(node.items, node.join === 'or' ? ' or ' : ', ');
    case 'group':
      return `${node.open}${join(node.items, ', ')}${node.close}`;
    case 'set':
      return `{${join(node.items, ', ')}}`;
    case 'setof':
      return `{${render(node.element)} | ${join(node.conditions, ', ')}}`;
    case 'setop':
      return join(node.args, ` ${{ union: '∪', intersection: '∩', minus: '\\' }[node.op]} `);
    case 'numberset':
      return node.name;
    case 'relation':
      return node.args
        .map((arg, k) => `${k > 0 ? ` ${node.ops[k - 1]} ` : ''}${render(arg)}`)
        .join('');
    case 'matrix':
      return `[${node.rows.map((row) => join(row, ', ')).join('; ')}]`;
    case 'cases':
      return node.rows
        .map((row) => `${render(row.value)}${row.when ? ` if ${render(row.when)}` : ''}`)
        .join('; ');
    case 'words':
      return node.text;
  }
}
