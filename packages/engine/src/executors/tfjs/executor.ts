/**
 * Runs programs on TensorFlow.js: nothing is compiled; each run calls the function of the program on tensors.
 * Caution: tfjs has one current backend per process; every run sets its own first.
 */

import type * as TensorFlow from '@tensorflow/tfjs';
import { EngineError } from '../../errors.ts';
import { sizeOf, type TensorSpec } from '../../ops.ts';
import type {
  Allocation,
  BufferMap,
  Compiled,
  Executor,
  Program,
  TensorBuffer,
  TypedArray,
} from '../types.ts';
import { type BackendFinding, chooseBackend, type TfjsBackend } from './backends.ts';
import type { Watch } from './dawn.ts';
import { TfjsOps } from './ops.ts';
import type { Tf } from './types.ts';

class TfjsBuffer implements TensorBuffer {
  readonly spec: TensorSpec;
  readonly #tf: Tf;
  onDispose: (() => void) | undefined;
  #tensor: TensorFlow.Tensor;

  constructor(tf: Tf, spec: TensorSpec, data: TypedArray) {
    this.#tf = tf;
    this.spec = spec;
    this.#tensor = this.#make(data);
  }
  get tensor(): TensorFlow.Tensor {
    return this.#tensor;
  }
  set tensor(next: TensorFlow.Tensor) {
    this.#tensor.dispose();
    this.#tensor = next;
  }
  async read(): Promise<TypedArray> {
    const data = await this.#tensor.data();
    // The cpu backend keeps the bytes of a boolean when it casts to float32.
    return data instanceof Uint8Array ? Float32Array.from(data) : data;
  }
  write(data: TypedArray): void {
    this.tensor = this.#make(data.slice());
  }
  zero(): void {
    const { shape, dtype } = this.spec;
    this.tensor = this.#tf.zeros([...shape], dtype === 'f32' ? 'float32' : 'int32');
  }
  dispose(): void {
    this.#tensor.dispose();
    this.onDispose?.();
  }
  #make(data: TypedArray): TensorFlow.Tensor {
    const { shape, dtype } = this.spec;
    if (data.length !== sizeOf(shape))
      throw new EngineError('internal', `${data.length} values for a tensor of shape [${shape}]`);
    return this.#tf.tensor(data, [...shape], dtype === 'f32' ? 'float32' : 'int32');
  }
}

export interface TfjsOptions {
  /** Absent: the first of tensorflow, wasm and cpu that works; webgpu must be requested. */
  readonly backend?: string;
  /** Keep transposed products as they are; only benchmarks use it. */
  readonly naive?: boolean;
}

/** The executor on TensorFlow.js. */
export class TfjsExecutor implements Executor {
  readonly name = 'tfjs';
  readonly isApart: boolean;
  readonly description: string;
  readonly #tf: Tf;
  readonly #backend: TfjsBackend;
  readonly #ops: TfjsOps;
  readonly #watch: Watch;
  readonly #buffers = new Set<TfjsBuffer>();

  private constructor(found: BackendFinding & { readonly tf: Tf }, naive: boolean) {
    const { tf, backend, detail, watch } = found;
    this.#tf = tf;
    this.#backend = backend;
    this.description = detail;
    this.isApart = backend === 'webgpu';
    this.#watch = watch ?? (async (work) => work());
    this.#ops = new TfjsOps(tf, { plainProducts: backend === 'wasm' && !naive });
  }

  /** @throws EngineError `unavailable` with the reasons if no backend works */
  static async create({ backend: wanted, naive = false }: TfjsOptions = {}): Promise<TfjsExecutor> {
    return new TfjsExecutor(await chooseBackend(wanted), naive);
  }

  buffer(spec: TensorSpec, data?: TypedArray): TensorBuffer {
    const size = sizeOf(spec.shape);
    const array = data ?? (spec.dtype === 'f32' ? new Float32Array(size) : new Int32Array(size));
    return new TfjsBuffer(this.#tf, spec, array);
  }

  allocate(specs: readonly TensorSpec[]): Allocation {
    const parts = specs.map((spec) => {
      const buffer = new TfjsBuffer(this.#tf, spec, new Float32Array(sizeOf(spec.shape)));
      this.#buffers.add(buffer);
      buffer.onDispose = () => this.#buffers.delete(buffer);
      return buffer;
    });
    return { parts, whole: parts };
  }

  async compile(program: Program): Promise<Compiled> {
    return {
      run: async (inputs, outputs) => {
        if (this.#tf.getBackend() !== this.#backend) await this.#tf.setBackend(this.#backend);
        await this.#watch(() => this.#run(program, inputs, outputs));
      },
      dispose: async () => {},
    };
  }

  async close(): Promise<void> {
    for (const buffer of this.#buffers) buffer.dispose();
    this.#buffers.clear();
  }

  #run(program: Program, inputs: BufferMap, outputs: BufferMap): void {
    const names = Object.keys(program.inputs);
    const values = Object.fromEntries(names.map((name) => [name, at(inputs, name).tensor]));
    const made = this.#tf.tidy(() => this.#copies(program, values));
    for (const [name, tensor] of Object.entries(made)) {
      if (outputs[name]) at(outputs, name).tensor = tensor;
      else tensor.dispose();
    }
  }

  /** The outputs. None of them is an input: inputs live on and outputs are disposed of. */
  #copies(program: Program, values: Record<string, TensorFlow.Tensor>) {
    const given = new Set(Object.values(values));
    const made = Object.entries(program.build(this.#ops, values)).map(([name, tensor]) => [
      name,
      given.has(tensor) ? tensor.clone() : tensor,
    ]);
    const out: Record<string, TensorFlow.Tensor> = Object.fromEntries(made);
    return out;
  }
}

function at(buffers: BufferMap, name: string): TfjsBuffer {
  const buffer = buffers[name];
  if (!(buffer instanceof TfjsBuffer)) throw new EngineError('internal', `no buffer for "${name}"`);
  return buffer;
}
