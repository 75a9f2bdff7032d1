/** Opens an executor by name. Each is loaded only when it is asked for: one that a machine lacks harms nobody else. */

import { availableParallelism } from 'node:os';
import { EngineError } from '../errors.ts';
import { backendAdvice } from './advice.ts';
import type { Executor, ExecutorName, OnnxOptions } from './types.ts';

export interface ExecutorOptions {
  /** Absent: onnx. */
  readonly executor?: ExecutorName;
  /** Of {@link backendsOf}; absent: cpu of onnx, the first of tfjs's that works, webgpu left out. */
  readonly backend?: string;
  /** Absent: one for each core. tfjs decides for itself. */
  readonly threads?: number;
}

/** @throws where the executor or its backend is not available, with the reason */
export async function openExecutor(options: ExecutorOptions): Promise<Executor> {
  const { executor = 'onnx', backend, threads = availableParallelism() } = options;
  if (executor === 'tfjs') {
    const { TfjsExecutor } = await import('./tfjs/executor.ts');
    return TfjsExecutor.create(backend === undefined ? {} : { backend });
  }
  if (backend === 'webgpu') return openOnnxWebGpu();
  if (backend !== undefined && backend !== 'cpu')
    throw new EngineError(
      'config',
      `backend of executor onnx: expected ${BACKENDS_OF.onnx.join(' or ')}, got "${backend}" (tfjs has ${BACKENDS_OF.tfjs.join(', ')})`,
    );
  return openOnnx({ threads });
}

/** Every backend there may be. */
export const BACKENDS_OF = {
  onnx: ['cpu', 'webgpu'],
  tfjs: ['tensorflow', 'webgpu', 'wasm', 'cpu'],
} as const satisfies Record<ExecutorName, readonly string[]>;

/** @throws where there is no device, saying what one needs */
async function openOnnxWebGpu(): Promise<Executor> {
  const { OnnxWebGpuExecutor } = await loading(import('./onnx/webgpu.ts'));
  return OnnxWebGpuExecutor.create().catch((cause: unknown) => {
    const reason = `onnxruntime-node has no WebGPU device here (${reasonOf(cause)})`;
    throw new EngineError('unavailable', `${reason}; ${backendAdvice('onnx', 'webgpu')}`, {
      cause,
    });
  });
}

/** @throws where onnxruntime-node does not load, naming the other executor */
export async function openOnnx(options: OnnxOptions): Promise<Executor> {
  const { OnnxExecutor } = await loading(import('./onnx/executor.ts'));
  return new OnnxExecutor(options);
}

function loading<M>(module: Promise<M>): Promise<M> {
  return module.catch((cause: unknown) => {
    if (EngineError.isInstance(cause))
      throw new EngineError('unavailable', `executor onnx: ${cause.message}`, { cause });
    throw new EngineError(
      'unavailable',
      `executor onnx: onnxruntime-node does not load (${reasonOf(cause)}); executor tfjs may work`,
      {
        cause,
      },
    );
  });
}

/** onnxruntime puts the place in its own source in front. */
function reasonOf(cause: unknown): string {
  const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n');
  return line.replace(/^.* was false\. /, '');
}
