import { expect, test } from 'vitest';
import { describeProbe } from './throughput.ts';

const product = { gigaflops: 12.34, n: 1024 };

test('a backend is described by its speed, its number types and its distance from float64', () => {
  expect(describeProbe({ product, relativeError: 1.6e-7, half: {} })).toEqual([
    '12.3 GFLOP/s at 1024²',
    'float32 only',
    'within 2e-7 of float64',
  ]);
});

test('half precision is given relative to float32, and high speeds in TFLOP/s', () => {
  const half = { f16: { gigaflops: 61_700, n: 4096, relativeError: 4e-4 } };
  const fast = { product: { gigaflops: 30_850, n: 4096 }, relativeError: 1e-7, half };
  expect(describeProbe(fast)).toEqual([
    '30.9 TFLOP/s at 4096²',
    'f16 2.0 times as fast',
    'within 1e-7 of float64',
  ]);
});
