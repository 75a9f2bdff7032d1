import { describe, expect, test } from 'vitest';
import { type Ops, sizeOf } from '../ops.ts';
import { type Plain, plain, ReferenceOps } from '../reference/reference.ts';
import { normals } from '../sampling/random.ts';
import { caseArguments, opCases } from '../testing/cases.ts';
import { relativeError } from '../testing/data.ts';
import { lossShape, tokenLosses } from '../training/losses.ts';
import type { LossSpec } from '../types.ts';
import { Tape } from './tape.ts';

const ops = new ReferenceOps();
type Scalar = <T>(o: Ops<T>, x: readonly T[]) => T;

/** Central differences of a scalar function, in float64. */
function differences(f: Scalar, xs: readonly Plain[]): Float64Array[] {
  const h = 1e-5;
  return xs.map((x, i) =>
    x.data.map((_, at) => {
      const moved = (step: number) => {
        const data = x.data.slice();
        data[at]! += step;
        return f(ops, xs.with(i, { ...x, data })).data[0]!;
      };
      return (moved(h) - moved(-h)) / (2 * h);
    }),
  );
}

function tapeGradients(f: Scalar, xs: readonly Plain[]): Plain[] {
  const tape = new Tape(ops);
  const vars = xs.map((x) => tape.variable(x));
  return tape.gradients(f(tape, vars), vars);
}

/** A scalar that weighs every element differently, so that no error cancels. */
function weightedSum<T>(o: Ops<T>, y: T): T {
  const { shape } = o.spec(y);
  const weights = o.constant(normals(99, sizeOf(shape)), shape);
  return o.sum(o.mul(y, weights), [...shape.keys()], false);
}

describe('gradients of operations', () => {
  test.each(opCases.filter((opCase) => !opCase.still))(
    'the gradient of $name equals finite differences',
    (opCase) => {
      const xs = caseArguments(opCase).map((data, i) => plain(data, opCase.shapes[i]!));
      const f: Scalar = (o, x) => weightedSum(o, opCase.call(o, x));
      const expected = differences(f, xs);
      for (const [i, gradient] of tapeGradients(f, xs).entries()) {
        expect(gradient.shape).toEqual(xs[i]!.shape);
        expect(relativeError(gradient.data, expected[i]!)).toBeLessThan(1e-6);
      }
    },
  );
});

const specs: LossSpec[] = [
  { kind: 'cross_entropy' },
  { kind: 'importance_sampling' },
  { kind: 'ppo', clipLow: 0.2, clipHigh: 0.3, beta: 0 },
  { kind: 'ppo', clipLow: 0.2, clipHigh: 0.3, beta: 0.2 },
];
const terms = [1, 2, 3, 4].map((seed) => plain(normals(seed, 24), [24]));
function scalars(spec: LossSpec) {
  return {
    clipLow: plain([spec.kind === 'ppo' ? spec.clipLow : 0], []),
    clipHigh: plain([spec.kind === 'ppo' || spec.kind === 'cispo' ? spec.clipHigh : 0], []),
    beta: plain([spec.kind === 'ppo' ? spec.beta : 0], []),
  };
}

/** The loss of the 24 tokens as a function of their logprobs. */
function lossOf(spec: LossSpec): Scalar {
  return <T>(o: Ops<T>, [logp]: readonly T[]): T => {
    const fixed = (x: Plain) => o.constant(Float32Array.from(x.data), x.shape);
    const s = scalars(spec);
    const { loss } = tokenLosses(
      o,
      lossShape(spec),
      { logp: logp!, old: fixed(terms[1]!), advantages: fixed(terms[2]!), ref: fixed(terms[3]!) },
      { clipLow: fixed(s.clipLow), clipHigh: fixed(s.clipHigh), beta: fixed(s.beta) },
    );
    return weightedSum(o, loss);
  };
}

describe('gradients of losses', () => {
  test.each(specs)('the gradient of $kind with beta $beta equals finite differences', (spec) => {
    const f = lossOf(spec);
    const [gradient] = tapeGradients(f, [terms[0]!]);
    expect(relativeError(gradient!.data, differences(f, [terms[0]!])[0]!)).toBeLessThan(1e-6);
  });

  test('the gradient of cispo is the bounded weight times the advantage, also when the bound is active', () => {
    const f = lossOf({ kind: 'cispo', clipHigh: 0.3 });
    const [gradient] = tapeGradients(f, [terms[0]!]);
    const weights = normals(99, 24);
    const expected = weights.map((w, i) => {
      const ratio = Math.exp(terms[0]!.data[i]! - terms[1]!.data[i]!);
      return -Math.min(ratio, 1.3) * terms[2]!.data[i]! * w;
    });
    expect(relativeError(gradient!.data, expected)).toBeLessThan(1e-6);
  });

  test('the gradient of ppo is zero when the clip is active', () => {
    const spec = { kind: 'ppo', clipLow: 0.2, clipHigh: 0.3, beta: 0 } as const;
    const far = plain([1, -1, 1, -1], [4]);
    const loss = <T>(o: Ops<T>, [logp]: readonly T[]): T => {
      const c = (...data: number[]) => o.constant(Float32Array.from(data), [data.length]);
      const s = { clipLow: c(0.2), clipHigh: c(0.3), beta: c(0) };
      const zero = c(0, 0, 0, 0);
      const t = { logp: logp!, old: zero, advantages: c(1, -1, -1, 1), ref: zero };
      return o.sum(tokenLosses(o, lossShape(spec), t, s).loss, [0], false);
    };
    const [gradient] = tapeGradients(loss, [far]);
    expect([...gradient!.data].map((g) => g !== 0)).toEqual([false, false, true, true]);
  });
});

test('a variable that the loss does not depend on is refused instead of getting a zero gradient', () => {
  const tape = new Tape(ops);
  const [used, unused] = [tape.variable(plain([1], [])), tape.variable(plain([2], []))];
  expect(() => tape.gradients(tape.mul(used, used), [used, unused])).toThrow(/does not depend/);
});
