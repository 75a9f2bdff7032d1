/**
 * AdamW and the gradient norm on arrays of this process, in place, with kernels/adamw.wat. A JavaScript loop takes five
 * times as long, because its square root and division are scalar float64 (docs/design/engine.md). Kernels can only
 * reach WebAssembly memories, so the arrays are allocated there.
 * Leaves out: arrays on a device (adamw.ts has their programs).
 */

import { readFileSync } from 'node:fs';
import { EngineError } from '../errors.ts';
import type { AdamWScalars, Block, BlockArrays } from './adamw.ts';

interface Memory {
  readonly buffer: ArrayBuffer;
}
interface Kernels {
  readonly exports: {
    adamw(...args: number[]): void;
    sumOfSquares(place: number, count: number): number;
  };
}
/** The part of WebAssembly that is used here; Node's types do not declare it. */
declare const WebAssembly: {
  readonly Memory: new (pages: { initial: number; maximum: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => Kernels;
};

const PAGE_FLOATS = 16_384;
/** Floats of the largest memory, 4 GiB, minus its end, whose address kernels could not distinguish from 0. */
export const MOST_FLOATS = 2 ** 30 - 16;
/** Kernels process this many floats at a time; lengths and offsets are multiples of it. */
const STRIDE = 8;

const memories = new WeakMap<ArrayBufferLike, Memory>();
/** By the memory of the weights. */
const instances = new WeakMap<Memory, { readonly of: readonly Memory[]; readonly made: Kernels }>();
let module: object | undefined;

/**
 * Zeros in memory that kernels can reach.
 * @throws RangeError above {@link MOST_FLOATS}, or if the machine cannot allocate the memory
 */
export function reachableFloats(count: number): Float32Array<ArrayBuffer> {
  const pages = Math.ceil(count / PAGE_FLOATS);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  memories.set(memory.buffer, memory);
  return new Float32Array(memory.buffer, 0, count);
}

/** One step of a block: changes all arrays except the gradient. Their length is a multiple of 8. */
export function adamwInPlace(x: BlockArrays, { decay }: Block, s: AdamWScalars): void {
  const { exports } = kernelsOn(x);
  const rate = s.learningRate * s.meanCorrection;
  const moments = [s.beta1, 1 - s.beta1, s.beta2, 1 - s.beta2];
  const change = [s.gradScale, s.squareCorrection, s.eps, rate, decay ? s.keep : 1];
  const places = [x.weight, x.grad, x.mean, x.square].map(({ byteOffset }) => byteOffset);
  exports.adamw(...places, x.weight.length, ...moments, ...change);
}

/** Sum of squares in float64. The length is a multiple of 8. */
export function sumOfSquares(x: Float32Array): number {
  return kernelsOn({ weight: x, grad: x, mean: x, square: x }).exports.sumOfSquares(
    x.byteOffset,
    x.length,
  );
}

function kernelsOn(x: BlockArrays): Kernels {
  const weight = memoryOf(x.weight);
  const [grad, mean, square] = [memoryOf(x.grad), memoryOf(x.mean), memoryOf(x.square)];
  const of = [weight, grad, mean, square];
  const known = instances.get(weight);
  if (known?.of.every((memory, i) => memory === of[i])) return known.made;
  module ??= new WebAssembly.Module(
    readFileSync(new URL('../../kernels/adamw.wasm', import.meta.url)),
  );
  const made = new WebAssembly.Instance(module, { arrays: { weight, grad, mean, square } });
  instances.set(weight, { of, made });
  return made;
}

function memoryOf(array: Float32Array): Memory {
  const memory = memories.get(array.buffer);
  if (!memory)
    throw new EngineError('internal', 'an array outside of the memories that kernels reach');
  if (array.length === 0 || array.length % STRIDE || array.byteOffset % (4 * STRIDE))
    throw new EngineError(
      'internal',
      `${array.length} floats at byte ${array.byteOffset}: not a multiple of 8`,
    );
  return memory;
}
