/** Opens an executor by name. Each is loaded only when it is opened, so that a missing one does no harm. */

import { availableParallelism } from 'node:os';
import { errorMessage } from '@cipo/support';
import { EngineError } from '../errors.ts';
import { backendAdvice } from './advice.ts';
import type { Executor, ExecutorName, OnnxOptions } from './types.ts';

/** Which executor and backend to open. */
export interface ExecutorOptions {
  /** Absent: onnx. */
  readonly executor?: ExecutorName;
  /** One of {@link BACKENDS_OF}. Absent: cpu for onnx; for tfjs the first that works, except webgpu. */
  readonly backend?: string;
  /** Absent: one per core. tfjs ignores it. */
  readonly threads?: number;
}

/**
 * Opens an executor.
 * @throws EngineError `config` for an unknown backend; `unavailable` with the reason and, for a missing package, the
 * command that installs it
 */
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

/** All backends of each executor. */
export const BACKENDS_OF = {
  onnx: ['cpu', 'webgpu'],
  tfjs: ['tensorflow', 'webgpu', 'wasm', 'cpu'],
} as const satisfies Record<ExecutorName, readonly string[]>;

/** @throws EngineError `unavailable` if there is no device, with what one needs */
async function openOnnxWebGpu(): Promise<Executor> {
  const { OnnxWebGpuExecutor } = await loadRuntime(import('./onnx/webgpu.ts'));
  return OnnxWebGpuExecutor.create().catch((cause: unknown) => {
    const reason = `onnxruntime-node has no WebGPU device here (${reasonOf(cause)})`;
    throw new EngineError('unavailable', `${reason}; ${backendAdvice('onnx', 'webgpu')}`, {
      cause,
    });
  });
}

/** @throws EngineError `unavailable` if onnxruntime-node does not load */
export async function openOnnx(options: OnnxOptions): Promise<Executor> {
  const { OnnxExecutor } = await loadRuntime(import('./onnx/executor.ts'));
  return new OnnxExecutor(options);
}

function loadRuntime<M>(module: Promise<M>): Promise<M> {
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

/** The reason without the source location that onnxruntime puts in front. */
function reasonOf(cause: unknown): string {
  const [line = ''] = errorMessage(cause).trim().split('\n');
  return line.replace(/^.* was false\. /, '');
}
