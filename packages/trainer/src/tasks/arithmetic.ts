/**
 * `arithmetic`: a chain of steps over integers and fractions, worked left to right with every
 * intermediate result shown; the boxed answer is judged by the math domain.
 *
 *   12,+7,*3,-8   ->   12+7=19,19*3=57,57-8=49,\boxed{49}
 */
import type { Rng } from '../rng.ts';
import { add, divide, multiply, type Rational, rational, show, subtract } from './rational.ts';
import type { Level, Problem, TaskKind } from './types.ts';

interface Step {
  readonly op: '+' | '-' | '*' | '/';
  readonly by: Rational;
}

interface Dial {
  readonly steps: number;
  readonly largest: number;
  /** Probability that a step brings a fraction in. */
  readonly fractions: number;
}

const DIALS: Readonly<Record<Level, Dial>> = {
  1: { steps: 2, largest: 9, fractions: 0 },
  2: { steps: 2, largest: 20, fractions: 0.08 },
  3: { steps: 3, largest: 20, fractions: 0.08 },
  4: { steps: 4, largest: 30, fractions: 0.15 },
  5: { steps: 5, largest: 50, fractions: 0.2 },
};

const FRACTIONS = [rational(1, 2), rational(1, 3), rational(2, 3), rational(1, 4), rational(3, 4)];
const apply = { '+': add, '-': subtract, '*': multiply, '/': divide };

/** Keeps every number short enough to be read and worked by a small model. */
const inBounds = (v: Rational) => Math.abs(v.n) <= 99 && v.d <= 12;

function drawStep(rng: Rng, dial: Dial): Step {
  if (rng.unit() < dial.fractions) {
    return rng.unit() < 0.5
      ? { op: '/', by: rational(rng.int(2, 4)) }
      : { op: rng.pick(['+', '-'] as const), by: rng.pick(FRACTIONS) };
  }
  if (rng.unit() < 0.25) return { op: '*', by: rational(rng.int(2, 5)) };
  return { op: rng.pick(['+', '-'] as const), by: rational(rng.int(1, dial.largest)) };
}

function drawSteps(rng: Rng, start: Rational, dial: Dial): Step[] {
  const steps: Step[] = [];
  let value = start;
  while (steps.length < dial.steps) {
    const step = drawStep(rng, dial);
    const next = apply[step.op](value, step.by);
    if (!inBounds(next)) continue;
    steps.push(step);
    value = next;
  }
  return steps;
}

/** The worked chain; `slip` changes the result of one step and everything after follows from it. */
function work(
  start: Rational,
  steps: readonly Step[],
  slip?: { at: number; to: (v: Rational) => Rational },
) {
  let value = start;
  const lines = steps.map((step, i) => {
    const left = show(value);
    value = apply[step.op](value, step.by);
    if (slip?.at === i) value = slip.to(value);
    return `${left}${step.op}${show(step.by)}=${show(value)}`;
  });
  return { text: `${lines.join(',')},\\boxed{${show(value)}}`, value };
}

/** Off by one, off by ten, a lost sign, a wrong denominator: what small models do. */
function slipOf(rng: Rng): (v: Rational) => Rational {
  const delta = rng.pick([-10, -2, -1, -1, 1, 1, 2, 10]);
  return rng.unit() < 0.9
    ? (v) => rational(v.n + delta, v.d)
    : (v) => (v.n === 0 ? rational(delta) : rational(-v.n, v.d));
}

function draw(rng: Rng, level: Level): Problem {
  const dial = DIALS[level];
  const start = rational(rng.int(1, dial.largest));
  const steps = drawSteps(rng, start, dial);
  const prompt = [show(start), ...steps.map((s) => `${s.op}${show(s.by)}`)].join(',');
  const { text, value } = work(start, steps);
  return {
    prompt,
    row: { answer: show(value) },
    right: text,
    mistake: (r) => {
      for (;;) {
        const wrong = work(start, steps, { at: r.int(0, steps.length - 1), to: slipOf(r) });
        if (show(wrong.value) !== show(value)) return { attempt: wrong.text, note: '' };
      }
    },
  };
}

export const arithmetic: TaskKind = {
  name: 'arithmetic',
  domain: 'math',
  words: ['\\boxed{', 'unreadable'],
  characters: '0123456789+-*/=,}',
  draw,
  // The verifier may not say more than that an answer could not be read: the reference stays hidden.
  note: (diagnostics) => (diagnostics.length > 0 ? 'unreadable' : ''),
};
