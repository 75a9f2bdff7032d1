import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adamwStep } from './adamw.ts';
import { adamwInPlace, reachableFloats, sumOfSquares } from './in-place.ts';

/** A pattern in [-1, 1] that differs with the seed. */
function wave(seed: number, i: number) {
  return Math.sin(seed * 12.9898 + i * 78.233);
}

function filled(length: number, value: (i: number) => number): Float32Array {
  const array = reachableFloats(length);
  for (let i = 0; i < length; i++) array[i] = value(i);
  return array;
}

describe('kernels on arrays in place', () => {
  test('kernels take the step of the formula in every element and leave the gradient unchanged', () => {
    const lengths = fc.integer({ min: 1, max: 400 }).map((n) => 8 * n);
    const settings = fc.record({
      learningRate: fc.double({ min: 1e-6, max: 0.1, noNaN: true }),
      weightDecay: fc.double({ min: 0, max: 0.5, noNaN: true }),
      maxGradNorm: fc.constantFrom(0, 0.1),
    });
    fc.assert(
      fc.property(lengths, settings, fc.boolean(), fc.nat(99), (n, options, decay, seed) => {
        const block = {
          weight: filled(n, (i) => wave(seed, i)),
          grad: filled(n, (i) => 0.3 * wave(seed + 1, i)),
          mean: filled(n, (i) => 0.1 * wave(seed + 2, i)),
          square: filled(n, (i) => 0.01 * wave(seed + 3, i) ** 2),
        };
        const [weight, grad, mean, square] = Object.values(block).map((x) => Float64Array.from(x));
        const s = adamwStep(options, 3, 1);
        adamwInPlace(block, { shape: [n], decay }, s);
        for (let i = 0; i < n; i++) {
          const g = grad![i]! * s.gradScale;
          const m = 0.9 * mean![i]! + 0.1 * g;
          const v = 0.99 * square![i]! + 0.01 * g * g;
          const root = Math.sqrt(v / (1 - 0.99 ** 3)) + 1e-8;
          const change = (options.learningRate * (m / (1 - 0.9 ** 3))) / root;
          const kept = decay ? 1 - options.learningRate * options.weightDecay : 1;
          expect(block.mean[i]).toBeCloseTo(m, 6);
          expect(block.square[i]).toBeCloseTo(v, 8);
          const error = Math.abs(block.weight[i]! - (kept * weight![i]! - change));
          expect(error).toBeLessThan(1e-6 * (1 + Math.abs(change)));
        }
        expect(Float64Array.from(block.grad)).toEqual(grad);
      }),
      { numRuns: 30 },
    );
  });

  test('kernels sum a million squares in float64', () => {
    const x = filled(1_000_000, (i) => wave(1, i));
    const exact = x.reduce((sum, value) => sum + value * value, 0);
    expect(sumOfSquares(x) / exact).toBeCloseTo(1, 12);
  });

  test('kernels change a part of an array and nothing beside it', () => {
    const whole = filled(64, () => 1);
    expect(sumOfSquares(whole.subarray(16, 40))).toBe(24);
    const block = { weight: whole.subarray(16, 32), grad: filled(16, () => 1) };
    const moments = { mean: filled(16, () => 0), square: filled(16, () => 0) };
    const step = adamwStep({ learningRate: 0.5 }, 1, 1);
    adamwInPlace({ ...block, ...moments }, { shape: [16], decay: true }, step);
    expect([...whole].map((x) => (x === 1 ? 1 : 0)).join('')).toBe(
      '1'.repeat(16) + '0'.repeat(16) + '1'.repeat(32),
    );
  });

  test('kernels refuse arrays that they cannot reach', () => {
    expect(() => sumOfSquares(new Float32Array(8))).toThrow(/outside of the memories/);
    expect(() => sumOfSquares(reachableFloats(12))).toThrow('12 floats at byte 0');
    expect(() => sumOfSquares(reachableFloats(16).subarray(4, 12))).toThrow('at byte 16');
  });
});
