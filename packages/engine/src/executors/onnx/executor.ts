/**
 * Runs programs on the CPU provider of onnxruntime-node. Buffers are typed arrays of this process, and outputs are
 * written into them (`fetches`), so a run copies nothing. Tensors allocated together are views of one array.
 * Caution: `session.run` of onnxruntime-node blocks the calling thread.
 */

import type * as Ort from 'onnxruntime-node';
import { EngineError } from '../../errors.ts';
import { f32, sizeOf, type TensorSpec } from '../../ops.ts';
import type {
  Allocation,
  BufferMap,
  Compiled,
  Executor,
  HalfType,
  OnnxOptions,
  Program,
  TensorBuffer,
  TypedArray,
} from '../types.ts';
import { placeTensors } from './arrays.ts';
import { CpuOps } from './cpu-ops.ts';
import { halfProduct } from './half.ts';
import { modelBytes, OUTPUT_PREFIX } from './model.ts';
import { onnxLibrary, ort } from './runtime.ts';

class OnnxBuffer implements TensorBuffer {
  readonly spec: TensorSpec;
  readonly data: TypedArray;
  readonly tensor: Ort.Tensor;

  constructor(spec: TensorSpec, data: TypedArray) {
    this.spec = spec;
    this.data = data;
    this.tensor =
      data instanceof Float32Array
        ? new ort.Tensor('float32', data, spec.shape)
        : new ort.Tensor('int32', data, spec.shape);
  }
  get memory(): TypedArray {
    return this.data;
  }
  async read(): Promise<TypedArray> {
    return this.data;
  }
  write(data: TypedArray): void {
    if (data === this.data) return;
    if (data.length !== this.data.length)
      throw new EngineError(
        'internal',
        `${data.length} values for a tensor of shape [${this.spec.shape}]`,
      );
    this.data.set(data);
  }
  zero(): void {
    this.data.fill(0);
  }
  dispose(): void {}
}

class OnnxCompiled implements Compiled {
  readonly #session: Ort.InferenceSession;
  readonly #inputs: readonly string[];
  readonly #outputs: readonly string[];

  readonly #forget: (compiled: Compiled) => void;

  constructor(session: Ort.InferenceSession, forget: (compiled: Compiled) => void) {
    this.#session = session;
    this.#forget = forget;
    this.#inputs = session.inputNames;
    this.#outputs = session.outputNames;
  }
  async run(inputs: BufferMap, outputs: BufferMap): Promise<void> {
    const feeds = tensors(this.#inputs, inputs);
    await this.#session.run(feeds, tensors(this.#outputs, outputs, OUTPUT_PREFIX));
  }
  async dispose(): Promise<void> {
    this.#forget(this);
    await this.#session.release();
  }
}

function tensors(
  names: readonly string[],
  buffers: BufferMap,
  prefix = '',
): Record<string, Ort.Tensor> {
  const found: Record<string, Ort.Tensor> = {};
  for (const name of names) {
    const buffer = buffers[name.slice(prefix.length)];
    if (!(buffer instanceof OnnxBuffer))
      throw new EngineError('internal', `no buffer for "${name}"`);
    found[name] = buffer.tensor;
  }
  return found;
}

/** The executor on the CPU provider of onnxruntime-node. */
export class OnnxExecutor implements Executor {
  readonly name = 'onnx';
  readonly isApart = false;
  readonly description: string;
  readonly #threads: number;
  readonly #compiled = new Set<Compiled>();

  constructor({ threads }: OnnxOptions) {
    this.#threads = threads;
    this.description = `${onnxLibrary()} cpu, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  }

  buffer(spec: TensorSpec, data?: TypedArray): TensorBuffer {
    const size = sizeOf(spec.shape);
    const fresh = spec.dtype === 'f32' ? Float32Array : Int32Array;
    const array = data ?? new fresh(size);
    if (!(array instanceof fresh) || array.length !== size)
      throw new EngineError(
        'internal',
        `${array.length} values for a ${spec.dtype} tensor [${spec.shape}]`,
      );
    return new OnnxBuffer(spec, array);
  }

  allocate(specs: readonly TensorSpec[]): Allocation {
    const made = placeTensors(specs.map(({ shape }) => shape));
    const parts = made.flatMap((run) => run.parts);
    return {
      parts: parts.map((part, i) => new OnnxBuffer(specs[i]!, part)),
      whole: made.map(({ array }) => new OnnxBuffer(f32(array.length), array)),
    };
  }

  compile(program: Program): Promise<Compiled> {
    return this.#open(
      modelBytes(program, (graph) => new CpuOps(graph)),
      program.isLong ? 200 : 10,
    );
  }

  compileHalfProduct(type: HalfType, n: number): Promise<Compiled> {
    return this.#open(halfProduct(type, n), 10, { logSeverityLevel: 4 });
  }

  async #open(
    model: Uint8Array,
    spinMicroseconds: number,
    options: Ort.InferenceSession.SessionOptions = {},
  ): Promise<Compiled> {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      intraOpNumThreads: this.#threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      // One block for all tensors of a run is no faster and takes twice the memory.
      enableMemPattern: false,
      logSeverityLevel: 3,
      // Waking a thread takes longer than many nodes run; spinning for long takes shared cores from others.
      extra: {
        session: { intra_op: { allow_spinning: '1', spin_duration_us: String(spinMicroseconds) } },
      },
      ...options,
    });
    const compiled = new OnnxCompiled(session, (gone) => this.#compiled.delete(gone));
    this.#compiled.add(compiled);
    return compiled;
  }

  async close(): Promise<void> {
    for (const compiled of [...this.#compiled]) await compiled.dispose();
  }
}
