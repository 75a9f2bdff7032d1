/** Rejects answers that equal the reference but do not answer: a restated question, unevaluated arithmetic, an unreduced form. */
import { isScalar, type Node, some, symbols } from './node.ts';
import { exactValue } from './number/exact.ts';
import { gcd } from './number/rational.ts';

/** Whether a tree is a number in the form of a result: digits, a fraction, a mixed number, percent, scientific notation. */
export function isLiteral(node: Node): boolean {
  switch (node.k) {
    case 'num':
      return true;
    case 'neg':
    case 'percent':
    case 'quantity':
      return isLiteral(node.arg);
    case 'div':
      return isDigits(node.num) && isDigits(node.den);
    case 'mixed':
      return true;
    case 'mul':
      return isScientific(node);
    default:
      return false;
  }
}

function isDigits(node: Node): boolean {
  return node.k === 'num' || (node.k === 'neg' && node.arg.k === 'num');
}

function isScientific(node: Node): boolean {
  if (node.k !== 'mul' || node.args.length !== 2 || !isDigits(node.args[0]!)) return false;
  const power = node.args[1]!;
  return (
    power.k === 'pow' &&
    power.base.k === 'num' &&
    power.base.value.n === 10n &&
    power.base.value.d === 1n
  );
}

/** Whether a tree without symbols contains a sum or product of numbers. Powers, roots and factored forms are results. */
export function isUnevaluated(node: Node): boolean {
  if (isLiteral(node) || symbols(node).length > 0) return false;
  return some(node, (n) => {
    if (n.k === 'add') return n.args.filter((arg) => exactValue(arg) !== undefined).length >= 2;
    if (n.k === 'mul') return !isScientific(n) && n.args.length >= 2 && n.args.every(isPlainFactor);
    if (n.k === 'div') {
      return (
        !isLiteral(n) &&
        isPlainFactor(n.num) &&
        isPlainFactor(n.den) &&
        !(isDigits(n.num) && isDigits(n.den))
      );
    }
    return false;
  });
}

function isPlainFactor(node: Node): boolean {
  return isLiteral(node) || (node.k === 'mul' && node.args.every(isPlainFactor));
}

function removeSpacing(text: string): string {
  return text
    .replace(/\\(?:left|right|displaystyle|cdot|times|,|;|!)(?![a-zA-Z])|[\s$*{}]/g, '')
    .replace(/\\[dt]frac/g, '\\frac');
}

/** Whether the question contains the answer literally but not the reference. Plain numbers and symbols never restate. */
export function restates(question: string, reference: string, answer: string, node: Node): boolean {
  if (isScalar(node) && (isLiteral(node) || node.k === 'sym' || node.k === 'const')) return false;
  const [q, a, r] = [removeSpacing(question), removeSpacing(answer), removeSpacing(reference)];
  return a.length >= 3 && a !== r && q.includes(a) && !q.includes(r);
}

/** Whether a tree contains a fraction that can be reduced, or a square root from which a factor can be taken. */
export function hasReducibleForm(node: Node): boolean {
  return some(node, (n) => {
    if (n.k === 'div' && n.num.k === 'num' && n.den.k === 'num') {
      return n.den.value.n === 1n || gcd(n.num.value.n, n.den.value.n) !== 1n;
    }
    if (n.k !== 'fn' || n.name !== 'sqrt') return false;
    const q = exactValue(n.args[0]!);
    return q !== undefined && (q.d !== 1n || hasSquareFactor(q.n));
  });
}

/** Trial division up to 1,000, which covers the radicands that occur in answers. */
function hasSquareFactor(n: bigint): boolean {
  if (n < 2n) return true;
  for (let f = 2n; f * f <= n && f <= 1_000n; f++) if (n % (f * f) === 0n) return true;
  return false;
}
