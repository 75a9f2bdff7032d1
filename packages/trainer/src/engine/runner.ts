/**
 * Runs programs by name: compiles each once, gives it the tensors that live on (weights, state, caches), wraps
 * the arrays that are fresh, and reads back what is asked for. The least used of many compiled programs go.
 */

import type { BufferMap, Compiled, Executor, Program, TypedArray } from './executors/types.ts';
import type { TensorSpec } from './ops.ts';

/** A compiled program keeps its scratch memory; shapes beyond this many are compiled anew when they come back. */
const mostCompiled = 48;

export interface RunRequest {
  /** Names the program; equal keys mean equal programs. */
  readonly key: string;
  readonly make: () => Program;
  /** Tensors that outlive the run. */
  readonly resident: BufferMap;
  /** Inputs of this run alone; the arrays are taken over. */
  readonly fresh: Readonly<Record<string, TypedArray>>;
  /** Outputs to read back. */
  readonly wanted?: Readonly<Record<string, TensorSpec>>;
  /** Outputs that replace the contents of tensors that outlive the run. */
  readonly updated?: BufferMap;
}

interface Kernel {
  readonly program: Program;
  readonly compiled: Compiled;
}

export class Runner {
  readonly executor: Executor;
  readonly #kernels = new Map<string, Kernel>();

  constructor(executor: Executor) {
    this.executor = executor;
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

  async #kernel({ key, make }: RunRequest): Promise<Kernel> {
    const known = this.#kernels.get(key);
    if (known) this.#kernels.delete(key);
    const kernel = known ?? (await this.#compile(make()));
    this.#kernels.set(key, kernel);
    if (this.#kernels.size > mostCompiled) await this.#evict();
    return kernel;
  }

  async #compile(program: Program): Promise<Kernel> {
    return { program, compiled: await this.executor.compile(program) };
  }

  async #evict(): Promise<void> {
    const [key, { compiled }] = this.#kernels.entries().next().value!;
    this.#kernels.delete(key);
    await compiled.dispose();
  }
}

/** The specs of the names that `chosen` has too. */
function pick(specs: Readonly<Record<string, TensorSpec>>, chosen: object) {
  return Object.fromEntries(Object.entries(specs).filter(([name]) => Object.hasOwn(chosen, name)));
}
