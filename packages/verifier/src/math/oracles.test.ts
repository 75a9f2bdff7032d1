/** Compares with independent libraries: compute-engine for LaTeX values, mathjs for unit factors. Verdicts use neither. */
import { parse } from '@cortex-js/compute-engine/latex-syntax';
import { unit as mathjsUnit } from 'mathjs';
import { describe, expect, test } from 'vitest';
import { isScalar, type Node, symbols } from './node.ts';
import { ComplexField } from './number/complex.ts';
import { evaluate } from './number/evaluate.ts';
import { toNumber } from './number/rational.ts';
import { doubles } from './number/real.ts';
import { readAnswer } from './read/answer.ts';
import { findUnit } from './read/units.ts';
import { mathProblems, sharedDatasets } from './testing/data.ts';

const FIELD = new ComplexField(doubles);
function place(name: string): number {
  return 1.3 + (name.charCodeAt(0) % 17) / 7;
}

/** MathJSON evaluated in doubles; undefined for what this small evaluator does not know. */
function theirs(json: unknown): number | undefined {
  if (typeof json === 'number') return json;
  if (typeof json === 'string') {
    return json === 'Pi' ? Math.PI : /^[a-df-hj-zA-Z]$/.test(json) ? place(json) : undefined;
  }
  if (typeof json === 'object' && json !== null && 'num' in json) return Number(json.num);
  if (!Array.isArray(json)) return undefined;
  const args = json.slice(1).map(theirs);
  if (!args.every((arg) => arg !== undefined)) return undefined;
  return OPERATIONS[String(json[0])]?.(args);
}

const OPERATIONS: Readonly<Record<string, (a: readonly number[]) => number>> = {
  Add: (a) => a.reduce((x, y) => x + y),
  Subtract: (a) => a.reduce((x, y) => x - y),
  Negate: (a) => -a[0]!,
  Multiply: (a) => a.reduce((x, y) => x * y),
  InvisibleOperator: (a) => a.reduce((x, y) => x * y),
  Divide: (a) => a[0]! / a[1]!,
  Rational: (a) => a[0]! / a[1]!,
  Power: (a) => a[0]! ** a[1]!,
  Square: (a) => a[0]! ** 2,
  Sqrt: (a) => Math.sqrt(a[0]!),
  Root: (a) => a[0]! ** (1 / a[1]!),
  Delimiter: (a) => a[0]!,
};

function ours(node: Node): number | undefined {
  const at = new Map(symbols(node).map((name) => [name, { re: place(name), im: 0, err: 0 }]));
  const z = evaluate(node, { f: FIELD, at, budget: { left: 10_000 } });
  return FIELD.isReal(z) ? z.re : undefined;
}

/** Where compute-engine is known to misread or to have no opinion: mixed numbers, `\!`, separators, units, text. */
const LEFT_OUT = /\\!|\\text|\\mbox|\\\$|,|\\circ|%|_|\d\s*\\[dt]?frac|[a-zA-Z]{2}(?<!\\[a-z]+)/;

const datasets = sharedDatasets();

describe.skipIf(datasets === undefined)('compute-engine (needs the shared data sets)', () => {
  test('compute-engine reads the scalar references of MATH to the same values', () => {
    const answers = [
      ...new Set((datasets === undefined ? [] : mathProblems(datasets)).map((p) => p.answer)),
    ];
    let compared = 0;
    const differing = answers.filter((answer) => {
      const { node, wordy } = readAnswer(answer);
      if (!node || wordy || !isScalar(node) || LEFT_OUT.test(answer)) return false;
      const their = theirs(parse(answer));
      const our = their === undefined || !Number.isFinite(their) ? undefined : ours(node);
      if (their === undefined || our === undefined) return false;
      compared++;
      return Math.abs(our - their) > 1e-9 * Math.max(1, Math.abs(our));
    });
    expect(differing).toEqual([]);
    expect(compared).toBeGreaterThan(1_000);
  });
});

describe('mathjs', () => {
  // The acre of mathjs is rounded to 4046.86 m².
  test.each([
    ['km', 'm'],
    ['cm', 'm'],
    ['mm', 'cm'],
    ['inch', 'cm'],
    ['foot', 'inch'],
    ['yard', 'foot'],
    ['mile', 'km'],
    ['kg', 'g'],
    ['lb', 'kg'],
    ['oz', 'g'],
    ['hour', 'minute'],
    ['minute', 's'],
    ['day', 'hour'],
    ['week', 'day'],
    ['liter', 'ml'],
    ['gallon', 'liter'],
    ['quart', 'liter'],
    ['pint', 'liter'],
    ['cup', 'liter'],
    ['acre', 'hectare'],
    ['ton', 'kg'],
    ['tonne', 'kg'],
  ])('mathjs has the same factor from %s to %s', (from, to) => {
    const [a, b] = [findUnit(from, true)!, findUnit(to, true)!];
    const name = (u: string) => ({ cup: 'cup', tonne: 'tonne', ton: 'ton', ml: 'mL' })[u] ?? u;
    const factor = mathjsUnit(1, name(from)).toNumber(name(to));
    expect(toNumber(a.factor) / toNumber(b.factor) / factor).toBeCloseTo(1, 5);
  });
});
