/** Finds the kernels that take the time of a device, from onnxruntime's profile of each program. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OnnxWebGpuExecutor } from '../../../packages/engine/src/executors/onnx/webgpu.ts';
import type { Executor } from '../../../packages/engine/src/executors/types.ts';

export interface KernelTime {
  readonly kernel: string;
  /** Shapes of its inputs and outputs, as the provider merged them. */
  readonly shapes: string;
  readonly milliseconds: number;
}

export interface ProgramProfile {
  /** First word of the name of the program. */
  readonly program: string;
  readonly kernels: readonly KernelTime[];
  /** Milliseconds of this process for the nodes: checks, bindings, dispatches. */
  readonly here: number;
}

/** An event of Chrome's trace format. */
interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args: { readonly shapes?: string };
}

/** Profiles `work` on a fresh executor, which it closes; one profile per compiled program. */
export async function profilePrograms(
  work: (executor: Executor) => Promise<void>,
): Promise<ProgramProfile[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cipo-kernels-'));
  try {
    await work(await OnnxWebGpuExecutor.create({ profile: join(folder, 'run') }));
    const files = (await readdir(folder)).sort();
    return await Promise.all(files.map((file) => readProfile(join(folder, file), file)));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function readProfile(path: string, file: string): Promise<ProgramProfile> {
  const events = JSON.parse(await readFile(path, 'utf8')) as TraceEvent[];
  // `Api` events are those of the device; `Node` events are those of this process and wait for nothing.
  const kernels = events
    .filter(({ cat }) => cat === 'Api')
    .map(({ name, dur, args }) => ({
      kernel: name.split('&').at(-1)!,
      shapes: args.shapes?.trim() ?? '',
      milliseconds: dur / 1000,
    }));
  const nodes = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  const here = nodes.reduce((sum, { dur }) => sum + dur / 1000, 0);
  return { program: file.split('-')[1]!, kernels, here };
}

export interface KernelSum {
  readonly name: string;
  readonly count: number;
  readonly milliseconds: number;
}

/** Sums kernels of equal name, the longest first. */
export function sumsBy(
  kernels: readonly KernelTime[],
  nameOf: (kernel: KernelTime) => string,
): KernelSum[] {
  const groups = Map.groupBy(kernels, nameOf);
  const sums = [...groups].map(([name, members]) => ({
    name,
    count: members.length,
    milliseconds: members.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
  }));
  return sums.sort((a, b) => b.milliseconds - a.milliseconds);
}
