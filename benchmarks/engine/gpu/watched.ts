/**
 * An executor that records the costs of every program: runs, seconds, and bytes between this process and the device. A
 * run that returns an array waits for the device; one that does not may return before the work is done, and its time is
 * counted in the next run that waits.
 */
import type {
  Allocation,
  BufferMap,
  Compiled,
  Executor,
  Program,
  TensorBuffer,
  TypedArray,
} from '../../../packages/engine/src/executors/types.ts';
import { sizeOf, type TensorSpec } from '../../../packages/engine/src/ops.ts';

export interface Cost {
  runs: number;
  seconds: number;
  /** Bytes read from and written to arrays of this process. */
  bytesIn: number;
  bytesOut: number;
  /** Time of compilation, once per shape. */
  compileSeconds: number;
}

export class WatchedExecutor implements Executor {
  readonly name;
  readonly description;
  readonly isApart;
  /** Records by the first word of the name of the program. */
  readonly costs = new Map<string, Cost>();
  readonly #inner: Executor;
  readonly #resident = new WeakSet<TensorBuffer>();
  readonly #times = new WeakMap<TensorBuffer, number>();

  constructor(inner: Executor) {
    this.#inner = inner;
    this.name = inner.name;
    this.description = inner.description;
    this.isApart = inner.isApart;
  }

  /** Clears the records; compiled shapes stay known. */
  restart(): void {
    for (const cost of this.costs.values())
      Object.assign(cost, { runs: 0, seconds: 0, bytesIn: 0, bytesOut: 0, compileSeconds: 0 });
  }

  buffer(spec: TensorSpec, data?: TypedArray): TensorBuffer {
    return this.#inner.buffer(spec, data);
  }
  allocate(specs: readonly TensorSpec[]): Allocation {
    const made = this.#inner.allocate(specs);
    for (const buffer of [...made.parts, ...made.whole]) this.#resident.add(buffer);
    return made;
  }
  close(): Promise<void> {
    return this.#inner.close();
  }

  async compile(program: Program): Promise<Compiled> {
    const cost = this.#cost(program.name.split(' ', 1)[0]!);
    const began = performance.now();
    const compiled = await this.#inner.compile(program);
    cost.compileSeconds += (performance.now() - began) / 1000;
    const names = Object.keys(program.inputs);
    let isFirst = true;
    return {
      run: async (inputs, outputs) => {
        const start = performance.now();
        await compiled.run(inputs, outputs);
        const seconds = (performance.now() - start) / 1000;
        // The first run of a shape still compiles shaders.
        if (isFirst) cost.compileSeconds += seconds;
        else this.#count(cost, seconds, pick(inputs, names), outputs);
        isFirst = false;
      },
      dispose: () => compiled.dispose(),
    };
  }

  #count(cost: Cost, seconds: number, inputs: BufferMap, outputs: BufferMap): void {
    cost.runs += 1;
    cost.seconds += seconds;
    cost.bytesIn += this.#moving(inputs);
    cost.bytesOut += this.#moving(outputs);
  }

  /** An array that is passed repeatedly (rotary tables) moves to the device the second time. */
  #moving(buffers: BufferMap): number {
    let bytes = 0;
    for (const buffer of Object.values(buffers)) {
      const times = this.#times.get(buffer) ?? 0;
      this.#times.set(buffer, times + 1);
      if (!this.#resident.has(buffer) && times < 2) bytes += 4 * sizeOf(buffer.spec.shape);
    }
    return bytes;
  }

  #cost(kind: string): Cost {
    const known = this.costs.get(kind);
    if (known) return known;
    const fresh = { runs: 0, seconds: 0, bytesIn: 0, bytesOut: 0, compileSeconds: 0 };
    this.costs.set(kind, fresh);
    return fresh;
  }
}

function pick(buffers: BufferMap, names: readonly string[]): BufferMap {
  return Object.fromEntries(
    names.flatMap((name) => (buffers[name] ? [[name, buffers[name]]] : [])),
  );
}
