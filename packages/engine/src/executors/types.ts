/** What an executor offers: memory, and programs over {@link Ops} made runnable. */

import type { Ops, TensorSpec } from '../ops.ts';

export type ExecutorName = 'onnx' | 'tfjs';
export type TypedArray = Float32Array | Int32Array;
/** Types that a backend may compute a product in besides float32; programs do not use them. */
export type HalfType = 'f16' | 'bf16';

/** Options of the onnx executor on the CPU. */
export interface OnnxOptions {
  readonly threads: number;
}

/** A tensor that outlives a run: weights, gradients, optimizer state, caches, inputs and outputs. */
export interface TensorBuffer {
  readonly spec: TensorSpec;
  /** The contents themselves, where they lie in this process and may be changed in place. */
  readonly memory?: TypedArray;
  /** The contents. May be the memory itself: copy what must outlive the next run, `write` what was changed. */
  read(): Promise<TypedArray>;
  /** Replaces the contents; as many elements as the spec says. */
  write(data: TypedArray): void;
  /** Sets every element to 0, without a copy from this process where the tensor lies on a device. */
  zero(): void;
  dispose(): void;
}

/** A function of named tensors, built once (onnx) or called at each run (tfjs). */
export interface Program {
  readonly name: string;
  /** Its operations take milliseconds, as training's do and sampling's do not: threads wait for each other longer. */
  readonly isLong?: boolean;
  readonly inputs: Readonly<Record<string, TensorSpec>>;
  build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T>;
}

export type BufferMap = Readonly<Record<string, TensorBuffer>>;

export interface Compiled {
  /**
   * Runs the program; every output is written into the buffer of its name. A buffer may stand on both sides
   * where the output is an elementwise update of that input (accumulation).
   */
  run(inputs: BufferMap, outputs: BufferMap): Promise<void>;
  dispose(): Promise<void>;
}

/** Tensors that belong together: `parts` by tensor, `whole` the same memory in as few buffers as possible. */
export interface Allocation {
  readonly parts: readonly TensorBuffer[];
  readonly whole: readonly TensorBuffer[];
}

export interface Executor {
  readonly name: ExecutorName;
  /** What runs here, for people: library, version, backend, threads. */
  readonly description: string;
  /** Programs run in a device's memory: what is not allocated there is copied, and an output never overwrites what the same run still reads. */
  readonly isApart: boolean;
  /**
   * A tensor whose contents come from this process or go to it: inputs of a run, outputs to be read, small tables.
   * The array given is taken over: it must not be changed afterwards.
   */
  buffer(spec: TensorSpec, data?: TypedArray): TensorBuffer;
  /** Zeros where programs run, on a device where there is one: weights, gradients, moments, caches. Reading one is a copy. */
  allocate(specs: readonly TensorSpec[]): Allocation;
  compile(program: Program): Promise<Compiled>;
  /**
   * a, b [n, n] float32, rounded to `type` and multiplied in it -> y [n, n] and its sum `total` [], both float32.
   * @throws where the backend has no such product; absent where it has no such type.
   */
  compileHalfProduct?(type: HalfType, n: number): Promise<Compiled>;
  close(): Promise<void>;
}
