/**
 * The task kind `functions`: the prompt gives six examples of a short JavaScript function. The code domain judges it on
 * these and on hidden inputs, in the sandbox.
 *
 *   f(1..6)=5,7,9,11,13,15   ->   const f = x => x*2+3
 */
import type { Diagnostic } from '@cipo/verifier/types';
import type { Rng } from '../rng.ts';
import type { Level, Problem, TaskKind } from './types.ts';

/** A function as source text and as its meaning. */
interface Shape {
  readonly source: string;
  readonly of: (x: number) => number;
}

/** A family of functions that differ in their constants. */
interface Family {
  /** Smallest and largest value of each constant. */
  readonly bounds: readonly (readonly [number, number])[];
  readonly make: (constants: readonly number[]) => Shape;
}

const VISIBLE_INPUTS = [1, 2, 3, 4, 5, 6];
const HIDDEN_INPUTS = [0, 7, 8, 9, 10, 11];
const HEAD = 'const f = x => ';

/** Differences between a constant and its value in a mistake; -1 and 1 are the most frequent. */
const SLIPS = [-2, -1, -1, 1, 1, 2];

const OFFSET = [-9, 9] as const;
const FACTOR = [2, 5] as const;
const PARITY_FACTOR = [1, 4] as const;

const FAMILIES = {
  shift: { bounds: [OFFSET], make: ([b]) => linear(1, b!) },
  linear: { bounds: [FACTOR, OFFSET], make: ([a, b]) => linear(a!, b!) },
  square: { bounds: [OFFSET], make: ([b]) => square(b!) },
  largest: { bounds: [FACTOR, OFFSET], make: ([a, b]) => largest(a!, b!) },
  parityShift: {
    bounds: [OFFSET, OFFSET],
    make: ([b, c]) => parity(linear(1, b!), linear(1, c!)),
  },
  parityLinear: {
    bounds: [PARITY_FACTOR, OFFSET, PARITY_FACTOR, OFFSET],
    make: ([a, b, c, d]) => parity(linear(a!, b!), linear(c!, d!)),
  },
  paritySquare: {
    bounds: [OFFSET, FACTOR, OFFSET],
    make: ([b, a, c]) => parity(square(b!), linear(a!, c!)),
  },
} satisfies Record<string, Family>;

const LEVELS: Readonly<Record<Level, readonly Family[]>> = {
  1: [FAMILIES.shift, FAMILIES.linear],
  2: [FAMILIES.linear, FAMILIES.largest, FAMILIES.parityShift],
  // One family of one difficulty: if a part of the mix is never solved, all failures are of that part and the fix rate
  // says little.
  3: [FAMILIES.parityLinear],
  4: [FAMILIES.parityLinear, FAMILIES.paritySquare],
  5: [FAMILIES.paritySquare],
};

export const functions: TaskKind = {
  name: 'functions',
  domain: 'code',
  words: [HEAD, 'f(1..6)=', 'f(', 'Math.max(x,', 'error', 'hidden'],
  characters: '0123456789+-*=,?:x%)',
  draw,
  note,
};

function draw(rng: Rng, level: Level): Problem {
  const family = rng.pick(LEVELS[level]);
  const constants = family.bounds.map(([low, high]) => rng.int(low, high));
  const truth = family.make(constants);
  const call = (x: number) => ({ args: [x], expected: truth.of(x) });
  const visible = VISIBLE_INPUTS.map((x) => ({ ...call(x), visible: true }));
  const cases = [...visible, ...HIDDEN_INPUTS.map(call)];
  return {
    prompt: `f(1..6)=${VISIBLE_INPUTS.map(truth.of).join(',')}`,
    row: { language: 'javascript', tests: { type: 'call', entry: 'f', cases } },
    solution: HEAD + truth.source,
    mistake: (r) => {
      for (;;) {
        const wrong = perturb(r, family, constants);
        if (!areEqualOn(wrong, truth, [...VISIBLE_INPUTS, ...HIDDEN_INPUTS])) {
          return { attempt: HEAD + wrong.source, note: mistakeNote(wrong, truth) };
        }
      }
    },
  };
}

/** The same function with one constant a little off. */
function perturb(rng: Rng, family: Family, constants: readonly number[]): Shape {
  const at = rng.int(0, constants.length - 1);
  const changed = constants.map((c, i) => (i === at ? c + rng.pick(SLIPS) : c));
  return family.make(changed);
}

/** What {@link note} would give if the attempt were run. */
function mistakeNote(wrong: Shape, truth: Shape): string {
  const x = VISIBLE_INPUTS.find((input) => wrong.of(input) !== truth.of(input));
  return x === undefined ? 'hidden' : `f(${x})=${wrong.of(x)}`;
}

/** `f(2)=8` for an incorrect result on a visible example, `hidden` if only hidden inputs fail, else `error`. */
function note(diagnostics: readonly Diagnostic[]): string {
  const [first] = diagnostics;
  if (!first) return '';
  if (first.code !== 'wrong-answer') return 'error';
  const { input, actual } = first.details ?? {};
  if (input === undefined) return 'hidden';
  const called = /^\[(-?\d+)\]$/.exec(String(input));
  return called && /^-?\d{1,4}$/.test(String(actual)) ? `f(${called[1]})=${actual}` : 'error';
}

function areEqualOn(a: Shape, b: Shape, inputs: readonly number[]): boolean {
  return inputs.every((x) => a.of(x) === b.of(x));
}

/** a*x + b */
function linear(a: number, b: number): Shape {
  return { source: `${timesX(a)}${plus(b)}`, of: (x) => a * x + b };
}

/** x*x + b */
function square(b: number): Shape {
  return { source: `x*x${plus(b)}`, of: (x) => x * x + b };
}

/** max(x, a) + b */
function largest(a: number, b: number): Shape {
  return { source: `Math.max(x,${a})${plus(b)}`, of: (x) => Math.max(x, a) + b };
}

/** One function for odd inputs, another for even ones: an attempt can be half correct. */
function parity(odd: Shape, even: Shape): Shape {
  return {
    source: `x%2?${odd.source}:${even.source}`,
    of: (x) => (x % 2 ? odd.of(x) : even.of(x)),
  };
}

function plus(b: number): string {
  if (b === 0) return '';
  return b > 0 ? `+${b}` : `${b}`;
}

function timesX(a: number): string {
  return a === 1 ? 'x' : `x*${a}`;
}
