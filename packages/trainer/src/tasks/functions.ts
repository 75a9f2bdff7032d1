/**
 * `functions`: a short JavaScript function asked for by six examples and judged on other inputs
 * by the code domain, in the sandbox.
 *
 *   f(1..6)=5,7,9,11,13,15   ->   const f = x => x*2+3
 */
import type { Diagnostic } from '@cipo/verifier/types';
import type { Rng } from '../rng.ts';
import type { Level, Problem, TaskKind } from './types.ts';

/** A function as its source text and its meaning, from the same constants. */
interface Shape {
  readonly source: string;
  readonly of: (x: number) => number;
}

const EXAMPLES = [1, 2, 3, 4, 5, 6];
const HIDDEN = [0, 7, 8, 9, 10, 11];
export const HEAD = 'const f = x => ';

const plus = (b: number) => (b === 0 ? '' : b > 0 ? `+${b}` : `${b}`);
const times = (a: number) => (a === 1 ? 'x' : `x*${a}`);

/** a*x+b */
const linear = (a: number, b: number): Shape => ({
  source: `${times(a)}${plus(b)}`,
  of: (x) => a * x + b,
});
const square = (b: number): Shape => ({ source: `x*x${plus(b)}`, of: (x) => x * x + b });
/** Odd inputs one way, even inputs another: an attempt can be right in half. */
const parity = (odd: Shape, even: Shape): Shape => ({
  source: `x%2?${odd.source}:${even.source}`,
  of: (x) => (x % 2 ? odd.of(x) : even.of(x)),
});
const largest = (a: number, b: number): Shape => ({
  source: `Math.max(x,${a})${plus(b)}`,
  of: (x) => Math.max(x, a) + b,
});

interface Family {
  readonly bounds: readonly (readonly [number, number])[];
  readonly make: (c: readonly number[]) => Shape;
}

const FAMILIES = {
  shift: { bounds: [[-9, 9]], make: ([b]) => linear(1, b!) },
  linear: {
    bounds: [
      [2, 5],
      [-9, 9],
    ],
    make: ([a, b]) => linear(a!, b!),
  },
  square: { bounds: [[-9, 9]], make: ([b]) => square(b!) },
  largest: {
    bounds: [
      [2, 5],
      [-9, 9],
    ],
    make: ([a, b]) => largest(a!, b!),
  },
  parityShift: {
    bounds: [
      [-9, 9],
      [-9, 9],
    ],
    make: ([b, c]) => parity(linear(1, b!), linear(1, c!)),
  },
  parityLinear: {
    bounds: [
      [1, 4],
      [-9, 9],
      [1, 4],
      [-9, 9],
    ],
    make: ([a, b, c, d]) => parity(linear(a!, b!), linear(c!, d!)),
  },
  paritySquare: {
    bounds: [
      [-9, 9],
      [2, 5],
      [-9, 9],
    ],
    make: ([b, a, c]) => parity(square(b!), linear(a!, c!)),
  },
} satisfies Record<string, Family>;

const LEVELS: Readonly<Record<Level, readonly Family[]>> = {
  1: [FAMILIES.shift, FAMILIES.linear],
  2: [FAMILIES.linear, FAMILIES.largest, FAMILIES.parityShift],
  // One family of one difficulty: where a mix has problems that are never solved, failures are all of that kind
  // and the fix rate says little.
  3: [FAMILIES.parityLinear],
  4: [FAMILIES.parityLinear, FAMILIES.paritySquare],
  5: [FAMILIES.paritySquare],
};

const sameOn = (a: Shape, b: Shape, inputs: readonly number[]) =>
  inputs.every((x) => a.of(x) === b.of(x));

/** One constant a little off: the shape is seen, a number is not. */
function perturb(rng: Rng, family: Family, constants: readonly number[]): Shape {
  const at = rng.int(0, constants.length - 1);
  const moved = constants.map((c, i) => (i === at ? c + rng.pick([-2, -1, -1, 1, 1, 2]) : c));
  return family.make(moved);
}

/** As {@link note} would put it, had the attempt been run. */
function firstDifference(wrong: Shape, truth: Shape): string {
  const x = EXAMPLES.find((input) => wrong.of(input) !== truth.of(input));
  return x === undefined ? 'hidden' : `f(${x})=${wrong.of(x)}`;
}

function draw(rng: Rng, level: Level): Problem {
  const family = rng.pick(LEVELS[level]);
  const constants = family.bounds.map(([low, high]) => rng.int(low, high));
  const truth = family.make(constants);
  const call = (x: number) => ({ args: [x], expected: truth.of(x) });
  return {
    prompt: `f(1..6)=${EXAMPLES.map(truth.of).join(',')}`,
    row: {
      language: 'javascript',
      tests: {
        type: 'call',
        entry: 'f',
        cases: [...EXAMPLES.map((x) => ({ ...call(x), visible: true })), ...HIDDEN.map(call)],
      },
    },
    right: HEAD + truth.source,
    mistake: (r) => {
      for (;;) {
        const wrong = perturb(r, family, constants);
        if (!sameOn(wrong, truth, [...EXAMPLES, ...HIDDEN])) {
          return { attempt: HEAD + wrong.source, note: firstDifference(wrong, truth) };
        }
      }
    },
  };
}

/** `f(2)=8` for a wrong result on a shown example, `hidden` where only hidden inputs fail, else `error`. */
function note(diagnostics: readonly Diagnostic[]): string {
  const [first] = diagnostics;
  if (!first) return '';
  if (first.code !== 'wrong-answer') return 'error';
  const { input, actual } = first.details ?? {};
  if (input === undefined) return 'hidden';
  const called = /^\[(-?\d+)\]$/.exec(String(input));
  return called && /^-?\d{1,4}$/.test(String(actual)) ? `f(${called[1]})=${actual}` : 'error';
}

export const functions: TaskKind = {
  name: 'functions',
  domain: 'code',
  words: [HEAD, 'f(1..6)=', 'f(', 'Math.max(x,', 'error', 'hidden'],
  characters: '0123456789+-*=,?:x%)',
  draw,
  note,
};
