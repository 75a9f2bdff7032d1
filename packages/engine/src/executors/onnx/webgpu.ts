/**
 * Runs programs on the WebGPU provider of onnxruntime-node. Allocated tensors stay on the device; runs read and write
 * arrays of this process. An array that is read a second time moves to the device.
 * Leaves out: several devices; half precision.
 */

import type * as ort from 'onnxruntime-node';
import { EngineError } from '../../errors.ts';
import { sizeOf, type TensorSpec } from '../../ops.ts';
import type {
  Allocation,
  BufferMap,
  Compiled,
  Executor,
  HalfType,
  Program,
  TensorBuffer,
  TypedArray,
} from '../types.ts';
import { DeviceMemory, deviceSession, hostTensor, programSession } from './device.ts';
import { halfProduct } from './half.ts';
import { OUTPUT_PREFIX } from './model.ts';
import { onnxLibrary } from './runtime.ts';

/** The contents of a buffer that are not yet in its memory on the device. */
type Pending = TypedArray | 'zeros' | undefined;

class WebGpuBuffer implements TensorBuffer {
  readonly spec: TensorSpec;
  /** Outputs of a run are written to this array; undefined: they stay on the device. */
  readonly host: TypedArray | undefined;
  readonly #memory: DeviceMemory;
  onDispose: (() => void) | undefined;
  #pending: Pending;
  #device: ort.Tensor | undefined;
  #reads = 0;
  #isDisposed = false;

  constructor(memory: DeviceMemory, spec: TensorSpec, host?: TypedArray) {
    this.#memory = memory;
    this.spec = spec;
    this.host = host;
    this.#pending = host ?? 'zeros';
    if (!host) memory.opened(spec);
  }

  /** The tensor as an input of a run. */
  async feed(): Promise<ort.Tensor> {
    this.#reads += 1;
    if (this.host && this.#pending && this.#reads < 2) return hostTensor(this.host, this.spec);
    const device = await this.own();
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === 'zeros') await this.#memory.fillWithZeros(device, this.spec);
    else if (pending) await this.#memory.upload(pending, device, this.spec);
    return device;
  }

  /** Its memory on the device, with any contents. */
  async own(): Promise<ort.Tensor> {
    this.#device ??= await this.#memory.take(this.spec);
    return this.#device;
  }

  /** Called when a run has written `tensor`: its own memory, or memory that replaces it. */
  adopt(tensor: ort.Tensor): void {
    this.#pending = undefined;
    if (this.#device && this.#device !== tensor) this.#memory.keep(this.#device, this.spec);
    this.#device = tensor;
  }

  /** Called when a run has written the array. */
  hostWritten(): void {
    this.#pending = this.host;
    this.#reads = 0;
  }

  async read(): Promise<TypedArray> {
    if (this.host) return this.host;
    if (this.#pending === 'zeros') return emptyArray(this.spec);
    return this.#pending ?? this.#memory.download(await this.own(), this.spec);
  }

  write(data: TypedArray): void {
    const size = sizeOf(this.spec.shape);
    if (data.length !== size)
      throw new EngineError(
        'internal',
        `${data.length} values for a tensor of shape [${this.spec.shape}]`,
      );
    if (this.host && data !== this.host) this.host.set(data);
    this.#pending = this.host ?? data.slice();
    this.#reads = 0;
  }

  zero(): void {
    this.host?.fill(0);
    this.#pending = this.host ?? 'zeros';
    this.#reads = 0;
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#device?.dispose();
    if (!this.host) this.#memory.closed(this.spec);
    this.onDispose?.();
  }
}

class WebGpuCompiled implements Compiled {
  readonly #session: ort.InferenceSession;
  readonly #memory: DeviceMemory;
  readonly #forget: (compiled: Compiled) => void;

  constructor(
    session: ort.InferenceSession,
    memory: DeviceMemory,
    forget: (compiled: Compiled) => void,
  ) {
    this.#session = session;
    this.#memory = memory;
    this.#forget = forget;
  }

  async run(inputs: BufferMap, outputs: BufferMap): Promise<void> {
    const feeds: Record<string, ort.Tensor> = {};
    const read = new Set<WebGpuBuffer>();
    for (const name of this.#session.inputNames) {
      const buffer = at(inputs, name);
      read.add(buffer);
      feeds[name] = await buffer.feed();
    }
    const fetches: Record<string, ort.Tensor> = {};
    for (const name of this.#session.outputNames)
      fetches[name] = await this.#place(at(outputs, name.slice(OUTPUT_PREFIX.length)), read);
    await this.#session.run(feeds, fetches);
    for (const [name, tensor] of Object.entries(fetches)) {
      const buffer = at(outputs, name.slice(OUTPUT_PREFIX.length));
      if (buffer.host) buffer.hostWritten();
      else buffer.adopt(tensor);
    }
  }

  /** The target of an output: its array, its own memory, or a spare if the run reads its own. */
  async #place(buffer: WebGpuBuffer, read: ReadonlySet<WebGpuBuffer>): Promise<ort.Tensor> {
    if (buffer.host) return hostTensor(buffer.host, buffer.spec);
    return read.has(buffer) ? this.#memory.take(buffer.spec) : buffer.own();
  }

  async dispose(): Promise<void> {
    this.#forget(this);
    await this.#session.release();
  }
}

export interface WebGpuOptions {
  /**
   * Path prefix of traces: the kernels of each program are timed and written, when the program is disposed of, to
   * `PATH-WORD-ID` in onnxruntime's trace format. WORD is the first word of the program's name.
   */
  readonly profile?: string;
}

/** The executor on the WebGPU provider of onnxruntime-node. */
export class OnnxWebGpuExecutor implements Executor {
  readonly name = 'onnx';
  readonly isApart = true;
  readonly description: string;
  readonly #memory: DeviceMemory;
  readonly #compiled = new Set<Compiled>();
  readonly #buffers = new Set<TensorBuffer>();
  readonly #profile: string | undefined;
  #programs = 0;

  private constructor(memory: DeviceMemory, { profile }: WebGpuOptions) {
    this.#memory = memory;
    this.#profile = profile;
    this.description = `${onnxLibrary()} webgpu`;
  }

  /** @throws if there is no device, with the reason of the library */
  static async create(options: WebGpuOptions = {}): Promise<OnnxWebGpuExecutor> {
    const memory = new DeviceMemory();
    await memory.start();
    return new OnnxWebGpuExecutor(memory, options);
  }

  buffer(spec: TensorSpec, data?: TypedArray): TensorBuffer {
    const array = data ?? emptyArray(spec);
    const isRight = array instanceof Float32Array === (spec.dtype === 'f32');
    if (!isRight || array.length !== sizeOf(spec.shape))
      throw new EngineError(
        'internal',
        `${array.length} values for a ${spec.dtype} tensor [${spec.shape}]`,
      );
    return new WebGpuBuffer(this.#memory, spec, array);
  }

  allocate(specs: readonly TensorSpec[]): Allocation {
    const parts = specs.map((spec) => new WebGpuBuffer(this.#memory, spec));
    for (const buffer of parts) {
      this.#buffers.add(buffer);
      buffer.onDispose = () => this.#buffers.delete(buffer);
    }
    return { parts, whole: parts };
  }

  async compile(program: Program): Promise<Compiled> {
    if (this.#profile === undefined) return this.#keep(await programSession(program));
    const word = program.name.split(' ', 1)[0];
    const profileFilePrefix = `${this.#profile}-${word}-${this.#programs++}`;
    const session = await programSession(program, { enableProfiling: true, profileFilePrefix });
    return this.#keep(session, () => session.endProfiling());
  }

  async compileHalfProduct(type: HalfType, n: number): Promise<Compiled> {
    return this.#keep(await deviceSession(halfProduct(type, n)));
  }

  #keep(session: ort.InferenceSession, atEnd?: () => void): Compiled {
    const compiled = new WebGpuCompiled(session, this.#memory, (gone) => {
      this.#compiled.delete(gone);
      atEnd?.();
    });
    this.#compiled.add(compiled);
    return compiled;
  }

  async close(): Promise<void> {
    for (const compiled of [...this.#compiled]) await compiled.dispose();
    for (const buffer of this.#buffers) buffer.dispose();
    await this.#memory.close();
  }
}

function emptyArray({ dtype, shape }: TensorSpec): TypedArray {
  return dtype === 'f32' ? new Float32Array(sizeOf(shape)) : new Int32Array(sizeOf(shape));
}

function at(buffers: BufferMap, name: string): WebGpuBuffer {
  const buffer = buffers[name];
  if (!(buffer instanceof WebGpuBuffer))
    throw new EngineError('internal', `no buffer for "${name}"`);
  return buffer;
}
