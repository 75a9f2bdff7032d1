/** Describes the measurements of a backend in a few words. Pure. */
import type { Probe } from '@cipo/engine';

/** Speed, number types and accuracy: `['38.7 GFLOP/s at 1024²', 'float32 only', 'within 2e-7 of float64']`. */
export function describeProbe({ product, relativeError, half }: Probe): string[] {
  const types = Object.entries(half).map(
    ([type, { gigaflops }]) =>
      `${type} ${(gigaflops / product.gigaflops).toFixed(1)} times as fast`,
  );
  return [
    `${formatRate(product.gigaflops)} at ${product.n}²`,
    types.length > 0 ? types.join(', ') : 'float32 only',
    `within ${relativeError.toExponential(0)} of float64`,
  ];
}

function formatRate(gigaflops: number): string {
  return gigaflops < 1000
    ? `${gigaflops.toPrecision(3)} GFLOP/s`
    : `${(gigaflops / 1000).toPrecision(3)} TFLOP/s`;
}
