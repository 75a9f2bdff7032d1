/** Lists the executors and backends that work on this machine, and why the others do not. */

import { errorMessage } from '@cipo/support';
import { BACKENDS_OF, openExecutor } from './open.ts';
import { installCommand, resolveOptional } from './optional.ts';
import { type Probe, probe, TOLERANCE } from './probe.ts';
import type { Executor, ExecutorName } from './types.ts';

/** Whether one backend of one executor works on this machine. */
export interface ExecutorFinding {
  readonly executor: ExecutorName;
  readonly backend: string;
  readonly available: boolean;
  /** Whether createLocalEngine uses it by default. */
  readonly isDefault: boolean;
  /** Library and version; or why it is not available and how to install it. */
  readonly detail: string;
  /** The command that installs the executor; present if it is not installed. */
  readonly install?: string;
  /** Accuracy and speed; present if it was requested and the backend is available. */
  readonly probe?: Probe;
}

/** Options of {@link describeExecutors}. */
export interface DescribeOptions {
  /** Measure speed and accuracy of each backend; takes some seconds. */
  readonly measure?: boolean;
}

/** Tries every executor and backend, the default first. Does not affect engines that are open, and never throws. */
export async function describeExecutors(options: DescribeOptions = {}): Promise<ExecutorFinding[]> {
  const findings: ExecutorFinding[] = [];
  for (const executor of ['onnx', 'tfjs'] as const)
    for (const backend of BACKENDS_OF[executor])
      findings.push({
        executor,
        backend,
        isDefault: executor === 'onnx' && backend === 'cpu',
        ...(await examine(executor, backend, options)),
      });
  return findings;
}

type Examined = Pick<ExecutorFinding, 'available' | 'detail' | 'install' | 'probe'>;

const PACKAGES = { onnx: 'onnxruntime-node', tfjs: '@tensorflow/tfjs' } as const;

async function examine(
  executor: ExecutorName,
  backend: string,
  { measure = false }: DescribeOptions,
): Promise<Examined> {
  let opened: Executor | undefined;
  try {
    opened = await openExecutor({ executor, backend });
    const detail = opened.description;
    if (!measure) return { available: true, detail };
    return judge(detail, await probe(opened));
  } catch (error) {
    const name = PACKAGES[executor];
    const isInstalled = resolveOptional(name) !== undefined;
    const install = isInstalled ? {} : { install: installCommand(name) };
    return { available: false, detail: errorMessage(error), ...install };
  } finally {
    await opened?.close();
  }
}

/** A backend that computes wrong numbers counts as not available. */
function judge(detail: string, found: Probe): Examined {
  if (found.relativeError < TOLERANCE) return { available: true, detail, probe: found };
  const off = `${found.relativeError.toExponential(0)} off the definition in float64`;
  return { available: false, detail: `${detail} computes wrongly: ${off}`, probe: found };
}
