/**
 * The task kind `arithmetic`: a chain of operations on integers and fractions, worked from left to right with every
 * intermediate result. The math domain judges the boxed answer.
 *
 *   12,+7,*3,-8   ->   12+7=19,19*3=57,57-8=49,\boxed{49}
 */
import type { Rng } from '../rng.ts';
import {
  add,
  divide,
  formatRational,
  multiply,
  type Rational,
  rational,
  subtract,
} from './rational.ts';
import type { Level, Problem, TaskKind } from './types.ts';

interface Operation {
  readonly op: '+' | '-' | '*' | '/';
  readonly by: Rational;
}

interface Difficulty {
  /** Operations of a chain. */
  readonly operations: number;
  readonly largestNumber: number;
  /** Probability that an operation introduces a fraction. */
  readonly fractionRate: number;
}

const DIFFICULTIES: Readonly<Record<Level, Difficulty>> = {
  1: { operations: 2, largestNumber: 9, fractionRate: 0 },
  2: { operations: 2, largestNumber: 20, fractionRate: 0.08 },
  3: { operations: 3, largestNumber: 20, fractionRate: 0.08 },
  4: { operations: 4, largestNumber: 30, fractionRate: 0.15 },
  5: { operations: 5, largestNumber: 50, fractionRate: 0.2 },
};

/** Probability that an operation without a fraction multiplies. */
const MULTIPLY_RATE = 0.25;
/** Results are bounded: a small model has to read and compute them. */
const MAX_NUMERATOR = 99;
const MAX_DENOMINATOR = 12;

const FRACTIONS = [rational(1, 2), rational(1, 3), rational(2, 3), rational(1, 4), rational(3, 4)];
const APPLY = { '+': add, '-': subtract, '*': multiply, '/': divide };

/** Differences between a slip and the correct result, as small models make them; -1 and 1 are the most frequent. */
const SLIPS = [-10, -2, -1, -1, 1, 1, 2, 10];
/** Probability that a slip changes the numerator; otherwise it loses the sign. */
const NUMERATOR_SLIP_RATE = 0.9;

export const arithmetic: TaskKind = {
  name: 'arithmetic',
  domain: 'math',
  words: ['\\boxed{', 'unreadable'],
  characters: '0123456789+-*/=,}',
  draw,
  // The verifier tells the policy only that an answer could not be read: the reference stays hidden.
  note: (diagnostics) => (diagnostics.length > 0 ? 'unreadable' : ''),
};

function draw(rng: Rng, level: Level): Problem {
  const difficulty = DIFFICULTIES[level];
  const start = rational(rng.int(1, difficulty.largestNumber));
  const operations = drawOperations(rng, start, difficulty);
  const { text, value } = work(start, operations);
  return {
    prompt: [formatRational(start), ...operations.map(formatOperation)].join(','),
    row: { answer: formatRational(value) },
    solution: text,
    mistake: (r) => {
      for (;;) {
        const at = r.int(0, operations.length - 1);
        const wrong = work(start, operations, { at, change: drawSlip(r) });
        if (formatRational(wrong.value) !== formatRational(value)) {
          return { attempt: wrong.text, note: '' };
        }
      }
    },
  };
}

function drawOperations(rng: Rng, start: Rational, difficulty: Difficulty): Operation[] {
  const operations: Operation[] = [];
  let value = start;
  while (operations.length < difficulty.operations) {
    const operation = drawOperation(rng, difficulty);
    const next = APPLY[operation.op](value, operation.by);
    if (!isInBounds(next)) continue;
    operations.push(operation);
    value = next;
  }
  return operations;
}

function drawOperation(rng: Rng, { fractionRate, largestNumber }: Difficulty): Operation {
  if (rng.unit() < fractionRate) {
    return rng.unit() < 0.5
      ? { op: '/', by: rational(rng.int(2, 4)) }
      : { op: rng.pick(['+', '-'] as const), by: rng.pick(FRACTIONS) };
  }
  if (rng.unit() < MULTIPLY_RATE) return { op: '*', by: rational(rng.int(2, 5)) };
  return { op: rng.pick(['+', '-'] as const), by: rational(rng.int(1, largestNumber)) };
}

function isInBounds({ n, d }: Rational): boolean {
  return Math.abs(n) <= MAX_NUMERATOR && d <= MAX_DENOMINATOR;
}

/** Works a chain. A slip changes the result of one operation, and everything after it follows from that. */
function work(
  start: Rational,
  operations: readonly Operation[],
  slip?: { readonly at: number; readonly change: (result: Rational) => Rational },
): { readonly text: string; readonly value: Rational } {
  let value = start;
  const lines = operations.map((operation, i) => {
    const left = formatRational(value);
    value = APPLY[operation.op](value, operation.by);
    if (slip?.at === i) value = slip.change(value);
    return `${left}${formatOperation(operation)}=${formatRational(value)}`;
  });
  return { text: `${lines.join(',')},\\boxed{${formatRational(value)}}`, value };
}

function drawSlip(rng: Rng): (result: Rational) => Rational {
  const delta = rng.pick(SLIPS);
  return rng.unit() < NUMERATOR_SLIP_RATE
    ? ({ n, d }) => rational(n + delta, d)
    : ({ n, d }) => (n === 0 ? rational(delta) : rational(-n, d));
}

function formatOperation({ op, by }: Operation): string {
  return `${op}${formatRational(by)}`;
}
