/** Opens an executor by name. Each is loaded only when it is asked for: one that a machine lacks harms nobody else. */

import { availableParallelism } from 'node:os';
import type { OnnxOptions } from './onnx/executor.ts';
import type { Executor, ExecutorName } from './types.ts';

export interface ExecutorOptions {
  /** Absent: onnx. */
  readonly executor?: ExecutorName;
  /** Of tfjs: `tensorflow`, `wasm` or `cpu`; absent: the best there is. */
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
  if (backend !== undefined && backend !== 'cpu')
    throw new Error(`executor onnx has no backend "${backend}", only cpu; tfjs has others`);
  return openOnnx({ threads });
}

/** @throws where onnxruntime-node does not load, naming the other executor */
export async function openOnnx(options: OnnxOptions): Promise<Executor> {
  const { OnnxExecutor } = await import('./onnx/executor.ts').catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`onnxruntime-node does not load (${reason}); executor tfjs may work`, {
      cause,
    });
  });
  return new OnnxExecutor(options);
}
