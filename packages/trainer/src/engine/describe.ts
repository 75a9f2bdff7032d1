/** What could compute a policy on this machine, and why not the rest. */

import { openOnnx } from './executors/open.ts';
import { findBackend, tfjsBackends } from './executors/tfjs/backends.ts';
import type { ExecutorName, Program } from './executors/types.ts';

export interface ExecutorFinding {
  readonly executor: ExecutorName;
  readonly backend: string;
  readonly available: boolean;
  /** What createLocalEngine takes unless told otherwise. */
  readonly isDefault: boolean;
  /** Library and version; or why it is not available, and what would make it so. */
  readonly detail: string;
}

/** Tries every executor and backend, the fastest first. Changes nothing that an engine relies on; never throws. */
export async function describeExecutors(): Promise<ExecutorFinding[]> {
  const onnx = await describeOnnx();
  const findings: ExecutorFinding[] = [
    { executor: 'onnx', backend: 'cpu', isDefault: true, ...onnx },
  ];
  for (const backend of tfjsBackends) {
    const { tf, detail } = await findBackend(backend);
    const advice = backend === 'tensorflow' && !tf ? `; ${nativeAdvice}` : '';
    findings.push({
      executor: 'tfjs',
      backend,
      available: tf !== undefined,
      isDefault: false,
      detail: detail + advice,
    });
  }
  return findings;
}

/** Whether onnxruntime loads and computes: a sum is really run. */
async function describeOnnx(): Promise<{ available: boolean; detail: string }> {
  try {
    const executor = await openOnnx({ threads: 1 });
    const one = { dtype: 'f32', shape: [] } as const;
    const program: Program = {
      name: 'one and one',
      inputs: { x: one },
      build: (ops, { x }) => ({ y: ops.add(x!, x!) }),
    };
    const y = executor.buffer(one);
    const compiled = await executor.compile(program);
    await compiled.run({ x: executor.buffer(one, Float32Array.of(1)) }, { y });
    const [sum] = await y.read();
    await executor.close();
    const detail = executor.description.split(',')[0]!;
    return sum === 2
      ? { available: true, detail }
      : { available: false, detail: `${detail}: 1 + 1 = ${sum}` };
  } catch (error) {
    return { available: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

const nativeAdvice =
  'npm install @tensorflow/tfjs-node where it can download or build libtensorflow';
