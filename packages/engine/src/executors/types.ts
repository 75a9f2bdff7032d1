/** The interface of an executor: memory, and programs over {@link Ops} compiled to run. */

import type { Ops, TensorSpec } from '../ops.ts';
import type { Params, Tensors } from '../tensors.ts';

/** The libraries that can run a model: onnxruntime-node or TensorFlow.js. */
export type ExecutorName = 'onnx' | 'tfjs';

/** The arrays of float32 and int32 tensors. */
export type TypedArray = Float32Array | Int32Array;
/** Types besides float32 in which a backend may compute a product; programs do not use them. */
export type HalfType = 'f16' | 'bf16';

/** Options of the onnx executor on the CPU. */
export interface OnnxOptions {
  readonly threads: number;
}

/** A tensor that outlives a run: weights, gradients, optimizer state, caches, inputs and outputs. */
export interface TensorBuffer {
  readonly spec: TensorSpec;
  /** The contents, if they are in this process and may be changed in place. */
  readonly memory?: TypedArray;
  /** The contents, possibly the memory itself: copy what must outlive the next run, and `write` what was changed. */
  read(): Promise<TypedArray>;
  /** Replaces the contents with as many elements as the spec says. */
  write(data: TypedArray): void;
  /** Sets every element to 0; on a device without a copy from this process. */
  zero(): void;
  dispose(): void;
}

/**
 * A function of named tensors, built once (onnx) or called in each run (tfjs). `N` are the inputs whose names are known
 * at compile time.
 */
export interface Program<N extends string = never> {
  readonly name: string;
  /**
   * Whether its operations take milliseconds, as in training but not in sampling; threads then wait longer for each
   * other.
   */
  readonly isLong?: boolean;
  readonly inputs: Tensors<N, TensorSpec>;
  build<T>(ops: Ops<T>, inputs: Tensors<N, T>): Params<T>;
}

/** Tensors by name. */
export type BufferMap = Params<TensorBuffer>;

/** A compiled program. */
export interface Compiled {
  /**
   * Runs the program. Every output is written into the buffer of its name. A buffer may be both input and output if the
   * output is an elementwise update of the input (accumulation).
   */
  run(inputs: BufferMap, outputs: BufferMap): Promise<void>;
  dispose(): Promise<void>;
}

/** Tensors allocated together: `parts` are the tensors, `whole` is the same memory in as few buffers as possible. */
export interface Allocation {
  readonly parts: readonly TensorBuffer[];
  readonly whole: readonly TensorBuffer[];
}

/** Allocates tensors and compiles programs. */
export interface Executor {
  readonly name: ExecutorName;
  /** Human-readable: library, version, backend, threads. */
  readonly description: string;
  /**
   * Whether programs run in the memory of a device: tensors that are not allocated there are copied, and an output
   * never overwrites what the same run still reads.
   */
  readonly isApart: boolean;
  /**
   * A tensor whose contents come from or go to this process: inputs of a run, outputs to be read, small tables. Takes
   * ownership of the array: it must not be changed afterwards.
   */
  buffer(spec: TensorSpec, data?: TypedArray): TensorBuffer;
  /** Zeros where programs run (weights, gradients, moments, caches). On a device, reading one is a copy. */
  allocate(specs: readonly TensorSpec[]): Allocation;
  compile(program: Program): Promise<Compiled>;
  /**
   * a, b [n, n] float32, rounded to `type` and multiplied in it -> y [n, n] and its sum `total` [], both float32.
   * Absent if the executor has no half types.
   * @throws if the backend has no such product
   */
  compileHalfProduct?(type: HalfType, n: number): Promise<Compiled>;
  close(): Promise<void>;
}
