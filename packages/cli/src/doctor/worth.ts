/** What a backend's probe says, in a few words. Pure. */
import type { Probe } from '@cipo/engine';

export function worth({ product, relativeError, half }: Probe): string[] {
  const types = Object.entries(half).map(
    ([type, { gigaflops }]) =>
      `${type} at ${(gigaflops / product.gigaflops).toFixed(1)} times that`,
  );
  return [
    `${rate(product.gigaflops)} at ${product.n}²`,
    types.length > 0 ? types.join(', ') : 'float32 only',
    `float64 met within ${relativeError.toExponential(0)}`,
  ];
}

const rate = (gigaflops: number): string =>
  gigaflops < 1000
    ? `${gigaflops.toPrecision(3)} GFLOP/s`
    : `${(gigaflops / 1000).toPrecision(3)} TFLOP/s`;
