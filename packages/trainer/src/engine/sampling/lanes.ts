/** Key/value caches of many sequences being written at once, one lane each, all of one length. */

import type { ModelConfig } from '../config.ts';
import type { Executor, TensorBuffer } from '../executors/types.ts';
import { cacheNames, cacheSpec } from '../programs.ts';

export class LaneCache {
  readonly config: ModelConfig;
  readonly slots: number;
  readonly #executor: Executor;
  #buffers: Record<string, TensorBuffer>;
  #lanes: number;

  constructor(executor: Executor, config: ModelConfig, lanes: number, slots: number) {
    this.config = config;
    this.slots = slots;
    this.#executor = executor;
    this.#lanes = lanes;
    const spec = cacheSpec(config, { lanes, slots, length: 1 });
    this.#buffers = Object.fromEntries(
      cacheNames(config).map((name) => [name, executor.buffer(spec)]),
    );
  }

  get lanes(): number {
    return this.#lanes;
  }
  get buffers(): Readonly<Record<string, TensorBuffer>> {
    return this.#buffers;
  }

  /** Keeps the first lanes. */
  shrink(lanes: number): void {
    this.#buffers = Object.fromEntries(
      Object.entries(this.#buffers).map(([name, b]) => [name, this.#executor.shrink(b, lanes)]),
    );
    this.#lanes = lanes;
  }

  /** Copies the first `length` slots of lanes of `source` into lanes of this. */
  async copy(source: LaneCache, moves: readonly LaneMove[]): Promise<void> {
    const heads = this.config.num_key_value_heads;
    for (const name of cacheNames(this.config)) {
      const target = this.#buffers[name]!;
      const from = await source.buffers[name]!.read();
      const to = await target.read();
      const width = target.spec.shape[3]!;
      for (const { fromLane, toLane, length } of moves)
        for (let head = 0; head < heads; head++) {
          const start = (fromLane * heads + head) * source.slots * width;
          const at = (toLane * heads + head) * this.slots * width;
          to.set(from.subarray(start, start + length * width), at);
        }
      target.write(to);
    }
  }

  dispose(): void {
    for (const buffer of Object.values(this.#buffers)) buffer.dispose();
  }
}

export interface LaneMove {
  readonly fromLane: number;
  readonly toLane: number;
  /** Slots in use. */
  readonly length: number;
}
