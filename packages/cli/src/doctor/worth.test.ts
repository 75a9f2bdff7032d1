import { expect, test } from 'vitest';
import { worth } from './worth.ts';

const product = { gigaflops: 12.34, n: 1024 };

test('a backend is told by its rate, its types and its distance to float64', () => {
  expect(worth({ product, relativeError: 1.6e-7, half: {} })).toEqual([
    '12.3 GFLOP/s at 1024²',
    'float32 only',
    'float64 met within 2e-7',
  ]);
});

test('half precision is told by what it is worth; large rates in TFLOP/s', () => {
  const half = { f16: { gigaflops: 61_700, n: 4096, relativeError: 4e-4 } };
  expect(worth({ product: { gigaflops: 30_850, n: 4096 }, relativeError: 1e-7, half })).toEqual([
    '30.9 TFLOP/s at 4096²',
    'f16 at 2.0 times that',
    'float64 met within 1e-7',
  ]);
});
