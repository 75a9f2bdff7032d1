/**
 * Compiles each program once and runs it by name: passes resident tensors (weights, state, caches), wraps fresh arrays,
 * and reads outputs back. Evicts the least recently used of many compiled programs.
 */

import type { TensorSpec } from '../ops.ts';
import { mapTensors, type Params, type Tensors } from '../tensors.ts';
import type { BufferMap, Compiled, Executor, Program, TensorBuffer, TypedArray } from './types.ts';

/**
 * Maximum compiled programs of each kind, the first word of their key. A compiled program keeps its scratch memory,
 * which is large for training; an evicted shape is compiled again when it comes back.
 */
const MOST_COMPILED: Readonly<Record<string, number>> = { train: 24, measure: 12, logprobs: 12 };
const MOST_OF_OTHERS = 96;

/** A program and its tensors for one run; `W` are the outputs to read back whose names are known at compile time. */
export interface RunRequest<W extends string = never> {
  /** Name of the program; equal keys mean equal programs. */
  readonly key: string;
  readonly make: () => Program;
  /** Approximate bytes that the compiled program keeps between runs; absent if they are few. */
  readonly scratch?: number;
  /** Tensors that outlive the run. */
  readonly resident: BufferMap;
  /** Inputs of this run only; takes ownership of the arrays. */
  readonly fresh: Params<TypedArray>;
  /** Outputs to read back. */
  readonly wanted: Tensors<W, TensorSpec>;
  /** Outputs that replace the contents of resident tensors. */
  readonly updated?: BufferMap;
}

interface Kernel {
  readonly program: Program;
  readonly compiled: Compiled;
  readonly scratch: number;
}

/** Compiles, keeps and runs programs on one executor. */
export class Runner {
  readonly executor: Executor;
  readonly #kernels = new Map<string, Kernel>();

  readonly #scratchBytes: number;

  /** @param scratchBytes maximum bytes that compiled programs keep together; one program is always kept */
  constructor(executor: Executor, scratchBytes = Infinity) {
    this.executor = executor;
    this.#scratchBytes = scratchBytes;
  }

  async run<W extends string>(request: RunRequest<W>): Promise<Tensors<W, TypedArray>> {
    const { resident, fresh, wanted, updated = {} } = request;
    const { program, compiled } = await this.#kernel(request);
    const given = Object.entries(program.inputs).filter(([name]) => Object.hasOwn(fresh, name));
    const inputs = mapTensors(Object.fromEntries(given), (spec, name) =>
      this.executor.buffer(spec, fresh[name]),
    );
    const outputs = mapTensors<W, TensorSpec, TensorBuffer>(wanted, (spec) =>
      this.executor.buffer(spec),
    );
    await compiled.run({ ...resident, ...inputs }, { ...updated, ...outputs });
    const results: Record<string, TypedArray> = {};
    for (const [name, output] of Object.entries<TensorBuffer>(outputs))
      results[name] = await output.read();
    for (const buffer of Object.values(inputs)) buffer.dispose();
    for (const buffer of Object.values(outputs)) buffer.dispose();
    return results as Tensors<W, TypedArray>;
  }

  async close(): Promise<void> {
    this.#kernels.clear();
    await this.executor.close();
  }

  async #kernel(request: Pick<RunRequest, 'key' | 'make' | 'scratch'>): Promise<Kernel> {
    const { key, make, scratch = 0 } = request;
    const known = this.#kernels.get(key);
    if (known) this.#kernels.delete(key);
    const kernel = known ?? { ...(await this.#compile(make())), scratch };
    this.#kernels.set(key, kernel);
    if (!known) await this.#evict(kindOf(key));
    return kernel;
  }

  async #compile(program: Program): Promise<Omit<Kernel, 'scratch'>> {
    return { program, compiled: await this.executor.compile(program) };
  }

  /** Evicts the least recently used program of a kind with too many. */
  async #evict(kind: string): Promise<void> {
    const keys = [...this.#kernels.keys()].filter((key) => kindOf(key) === kind);
    const [oldest] = keys;
    if (oldest !== undefined && keys.length > (MOST_COMPILED[kind] ?? MOST_OF_OTHERS))
      await this.#drop(oldest);
    // The last one is about to run.
    const heavy = [...this.#kernels].filter(([, { scratch }]) => scratch > 0);
    let total = heavy.reduce((sum, [, { scratch }]) => sum + scratch, 0);
    for (const [key, { scratch }] of heavy.slice(0, -1)) {
      if (total <= this.#scratchBytes) return;
      total -= scratch;
      await this.#drop(key);
    }
  }

  async #drop(key: string): Promise<void> {
    const kernel = this.#kernels.get(key);
    this.#kernels.delete(key);
    await kernel?.compiled.dispose();
  }
}

/** The first word of a key. */
function kindOf(key: string): string {
  const end = key.indexOf(' ');
  return end < 0 ? key : key.slice(0, end);
}
