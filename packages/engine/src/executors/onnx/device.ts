/**
 * Memory of a WebGPU device, as onnxruntime-node exposes it: allocated, filled, written and read by small sessions,
 * because the library's own download ends the process (1.30 throws a C string). Unused tensors are kept for the next
 * one of their size. WebGPU does not let a dispatch read and write one buffer, so an update is written to a spare.
 */

import type * as Ort from 'onnxruntime-node';
import { EngineError } from '../../errors.ts';
import { type DType, sizeOf, type TensorSpec } from '../../ops.ts';
import { requireParam } from '../../tensors.ts';
import type { Program, TypedArray } from '../types.ts';
import type { GraphRecorder } from './graph.ts';
import { type MakeOps, modelBytes, OUTPUT_PREFIX, recordProgram } from './model.ts';
import { ort } from './runtime.ts';
import { WebGpuOps } from './webgpu-ops.ts';

type Kind = 'allocate' | 'fill' | 'upload' | 'download';

/**
 * validationMode basic: validation errors are thrown; without it, an invalid dispatch is dropped and its output is
 * undefined. storageBufferCacheMode simple: the buffers of a run are kept for the next one of the same size; by default
 * the library keeps about ten of each large size and allocates the rest again, which took a third of a training step on
 * an H200. Both belong to the process: the settings of the first session apply to all.
 */
const PROVIDER = {
  name: 'webgpu',
  validationMode: 'basic',
  storageBufferCacheMode: 'simple',
} as const;

const OUTPUT_NAME = `${OUTPUT_PREFIX}y`;
const ELEMENT_NAME = { f32: 'float32', i32: 'int32' } as const;

/** @throws if there is no device, or if the model needs the CPU */
export function deviceSession(
  model: Uint8Array,
  options: Ort.InferenceSession.SessionOptions = {},
): Promise<Ort.InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: [PROVIDER],
    graphOptimizationLevel: 'all',
    enableMemPattern: false,
    logSeverityLevel: 4, // errors are thrown and need not be logged too
    extra: {
      session: { disable_cpu_ep_fallback: '1' },
      // This fusion makes one Gemm of a product and a sum, at less than half the speed of MatMul here.
      optimization: { disable_specified_optimizers: 'MatMulAddFusion' },
    },
    ...options,
  });
}

/**
 * Compiles a program.
 * @throws EngineError naming the operators that the provider lacks: on the CPU each would cost a copy in both
 * directions
 */
export async function programSession(
  program: Program,
  options: Ort.InferenceSession.SessionOptions = {},
  makeOps: MakeOps = (graph) => new WebGpuOps(graph),
): Promise<Ort.InferenceSession> {
  const { graph, bytes } = recordProgram(program, makeOps);
  try {
    return await deviceSession(bytes, options);
  } catch (cause) {
    const lacking = await refusedNodes(graph);
    if (lacking.length === 0) throw cause;
    throw new EngineError(
      'unavailable',
      `${program.name}: onnxruntime's WebGPU provider has no ${lacking.join(', ')}`,
      {
        cause,
      },
    );
  }
}

/** Names of the nodes that the provider does not compile alone either. */
async function refusedNodes(graph: GraphRecorder): Promise<string[]> {
  const lacking: string[] = [];
  const singles = new Map(graph.singles().map(({ name, model }) => [name, model]));
  for (const [name, model] of singles)
    await deviceSession(model()).then(
      (session) => session.release(),
      () => lacking.push(name),
    );
  return lacking;
}

/** Allocates, fills, writes and reads tensors on the device. */
export class DeviceMemory {
  readonly #sessions = new Map<string, Promise<Ort.InferenceSession>>();
  readonly #spares = new Map<string, Ort.Tensor[]>();
  readonly #users = new Map<string, number>();

  /** Starts the device. It and all its tensors exist as long as a session does. */
  async start(): Promise<void> {
    await this.#session('allocate', { dtype: 'f32', shape: [1] });
  }

  /** A tensor with undefined contents. */
  async take(spec: TensorSpec): Promise<Ort.Tensor> {
    const spare = this.#spares.get(shapeKey(spec))?.pop();
    if (spare) return spare;
    const session = await this.#session('allocate', spec);
    const made = await session.run({ x: oneZero(spec.dtype) });
    return withShape(requireParam(made, OUTPUT_NAME), spec);
  }

  /** Counts a tensor of this shape as in use; its spares are kept as long as one is. */
  opened(spec: TensorSpec): void {
    this.#users.set(shapeKey(spec), (this.#users.get(shapeKey(spec)) ?? 0) + 1);
  }

  closed(spec: TensorSpec): void {
    const key = shapeKey(spec);
    const left = (this.#users.get(key) ?? 1) - 1;
    this.#users.set(key, left);
    if (left > 0) return;
    for (const tensor of this.#spares.get(key) ?? []) tensor.dispose();
    this.#spares.delete(key);
  }

  /** Takes a tensor back; it may be handed out again. */
  keep(tensor: Ort.Tensor, spec: TensorSpec): void {
    const key = shapeKey(spec);
    this.#spares.set(key, [...(this.#spares.get(key) ?? []), tensor]);
  }

  async fillWithZeros(tensor: Ort.Tensor, spec: TensorSpec): Promise<void> {
    const session = await this.#session('fill', spec);
    const y = withShape(tensor, flat(spec));
    await session.run({ x: oneZero(spec.dtype) }, { [OUTPUT_NAME]: y });
  }

  async upload(data: TypedArray, tensor: Ort.Tensor, spec: TensorSpec): Promise<void> {
    const session = await this.#session('upload', spec);
    const y = withShape(tensor, flat(spec));
    await session.run({ x: hostTensor(data, flat(spec)) }, { [OUTPUT_NAME]: y });
  }

  async download(tensor: Ort.Tensor, spec: TensorSpec): Promise<TypedArray> {
    const size = sizeOf(spec.shape);
    const data = spec.dtype === 'f32' ? new Float32Array(size) : new Int32Array(size);
    const session = await this.#session('download', spec);
    const y = hostTensor(data, flat(spec));
    await session.run({ x: withShape(tensor, flat(spec)) }, { [OUTPUT_NAME]: y });
    return data;
  }

  /** Releases everything; tensors must not be used afterwards. */
  async close(): Promise<void> {
    for (const tensor of [...this.#spares.values()].flat()) tensor.dispose();
    this.#spares.clear();
    for (const session of this.#sessions.values()) await (await session).release();
    this.#sessions.clear();
  }

  #session(kind: Kind, spec: TensorSpec): Promise<Ort.InferenceSession> {
    const key = `${kind} ${sizeKey(spec)}`;
    const known = this.#sessions.get(key);
    if (known) return known;
    const made = deviceSession(
      modelBytes(memoryProgram(kind, flat(spec)), (graph) => new WebGpuOps(graph)),
      kind === 'allocate' ? { preferredOutputLocation: 'gpu-buffer' } : {},
    );
    this.#sessions.set(key, made);
    return made;
  }
}

/** Sizes are static, so there is one small session per size. */
function memoryProgram(kind: Kind, spec: TensorSpec): Program<'x'> {
  const fresh = kind === 'allocate' || kind === 'fill';
  return {
    name: kind,
    inputs: { x: fresh ? { dtype: spec.dtype, shape: [1] } : spec },
    build: (ops, { x }) => ({ y: fresh ? ops.broadcastTo(x, spec.shape) : x }),
  };
}

function flat({ dtype, shape }: TensorSpec): TensorSpec {
  return { dtype, shape: [sizeOf(shape)] };
}
function sizeKey({ dtype, shape }: TensorSpec): string {
  return `${dtype} ${sizeOf(shape)}`;
}
function shapeKey({ dtype, shape }: TensorSpec): string {
  return `${dtype} [${shape}]`;
}
function oneZero(dtype: DType) {
  return hostTensor(dtype === 'f32' ? new Float32Array(1) : new Int32Array(1), {
    dtype,
    shape: [1],
  });
}

/** A tensor over an array of this process: a run reads it or writes into it. */
export function hostTensor(data: TypedArray, { shape }: TensorSpec): Ort.Tensor {
  return data instanceof Float32Array
    ? new ort.Tensor('float32', data, shape)
    : new ort.Tensor('int32', data, shape);
}

/** The same memory under another shape; disposing of one disposes of both. */
function withShape(tensor: Ort.Tensor, { dtype, shape }: TensorSpec): Ort.Tensor {
  return ort.Tensor.fromGpuBuffer(tensor.gpuBuffer, {
    dataType: ELEMENT_NAME[dtype],
    dims: shape,
    dispose: () => tensor.dispose(),
  });
}
