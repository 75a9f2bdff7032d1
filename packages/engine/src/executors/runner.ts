/**
 * Compiles each program once and runs it by name: passes resident tensors (weights, state, caches), wraps fresh arrays,
 * and reads outputs back. Evicts the least recently used of many compiled programs.
 */

import type { TensorSpec } from '../ops.ts';
import type { BufferMap, Compiled, Executor, Program, TypedArray } from './types.ts';

/**
 * Maximum compiled programs of each kind, the first word of their key. A compiled program keeps its scratch memory,
 * which is large for training; an evicted shape is compiled again when it comes back.
 */
const MOST_COMPILED: Readonly<Record<string, number>> = { train: 24, measure: 12, logprobs: 12 };
const MOST_OF_OTHERS = 96;

/** A program and its tensors for one run. */
export interface RunRequest {
  /** Name of the program; equal keys mean equal programs. */
  readonly key: string;
  readonly make: () => Program;
  /** Approximate bytes that the compiled program keeps between runs; absent if they are few. */
  readonly scratch?: number;
  /** Tensors that outlive the run. */
  readonly resident: BufferMap;
  /** Inputs of this run only; takes ownership of the arrays. */
  readonly fresh: Readonly<Record<string, TypedArray>>;
  /** Outputs to read back. */
  readonly wanted?: Readonly<Record<string, TensorSpec>>;
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

  async run(request: RunRequest): Promise<Record<string, TypedArray>> {
    const { resident, fresh, wanted = {}, updated = {} } = request;
    const { program, compiled } = await this.#kernel(request);
    const inputs = this.#wrap(pick(program.inputs, fresh), fresh);
    const outputs = this.#wrap(wanted);
    await compiled.run({ ...resident, ...inputs }, { ...updated, ...outputs });
    const results: Record<string, TypedArray> = {};
    for (const name of Object.keys(wanted)) results[name] = await outputs[name]!.read();
    for (const buffer of Object.values(inputs)) buffer.dispose();
    for (const buffer of Object.values(outputs)) buffer.dispose();
    return results;
  }

  async close(): Promise<void> {
    this.#kernels.clear();
    await this.executor.close();
  }

  #wrap(
    specs: Readonly<Record<string, TensorSpec>>,
    arrays: Readonly<Record<string, TypedArray>> = {},
  ): BufferMap {
    const buffers = Object.entries(specs).map(([name, spec]) => [
      name,
      this.executor.buffer(spec, arrays[name]),
    ]);
    return Object.fromEntries(buffers);
  }

  async #kernel({ key, make, scratch = 0 }: RunRequest): Promise<Kernel> {
    const known = this.#kernels.get(key);
    if (known) this.#kernels.delete(key);
    const kernel = known ?? { ...(await this.#compile(make())), scratch };
    this.#kernels.set(key, kernel);
    if (!known) await this.#evict(key.split(' ', 1)[0]!);
    return kernel;
  }

  async #compile(program: Program): Promise<Omit<Kernel, 'scratch'>> {
    return { program, compiled: await this.executor.compile(program) };
  }

  /** Evicts the least recently used program of a kind with too many. */
  async #evict(kind: string): Promise<void> {
    const keys = [...this.#kernels.keys()].filter((key) => key.split(' ', 1)[0] === kind);
    if (keys.length > (MOST_COMPILED[kind] ?? MOST_OF_OTHERS)) await this.#drop(keys[0]!);
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
    const { compiled } = this.#kernels.get(key)!;
    this.#kernels.delete(key);
    await compiled.dispose();
  }
}

/** The specs whose names are keys of `chosen`. */
function pick(specs: Readonly<Record<string, TensorSpec>>, chosen: object) {
  return Object.fromEntries(Object.entries(specs).filter(([name]) => Object.hasOwn(chosen, name)));
}
