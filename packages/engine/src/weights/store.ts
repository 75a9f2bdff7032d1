/** The tensors of a policy on an executor: weights, gradients, AdamW's two moments, and the frozen reference. */

import { EngineError } from '../errors.ts';
import type { Executor, TensorBuffer } from '../executors/types.ts';
import { type ModelConfig, type ParamSpec, paramSpecs } from '../model/config.ts';
import { f32, sizeOf } from '../ops.ts';
import { hash32, normals } from '../sampling/random.ts';
import type { Block } from '../training/adamw.ts';
import type { TensorSource } from './source.ts';

export type NamedArrays = Record<string, Float32Array>;

export type TensorName = Pick<ParamSpec, 'name' | 'shape'>;

/** One tensor for each weight. */
export class TensorSet {
  readonly byName: Readonly<Record<string, TensorBuffer>>;
  /** The same memory by {@link Block}: matrices first, then the norms' gains. */
  readonly blocks: readonly TensorBuffer[];
  readonly matrixBlocks: number;

  constructor(executor: Executor, specs: readonly TensorName[]) {
    const [matrices, vectors] = [true, false].map((isMatrix) => {
      const chosen = specs.filter(({ shape }) => shape.length > 1 === isMatrix);
      const { parts, whole } = executor.allocate(chosen.map(({ shape }) => f32(...shape)));
      return { whole, named: chosen.map(({ name }, i) => [name, parts[i]!] as const) };
    });
    this.byName = Object.fromEntries([...matrices!.named, ...vectors!.named]);
    this.blocks = [...matrices!.whole, ...vectors!.whole];
    this.matrixBlocks = matrices!.whole.length;
  }

  clear(): void {
    for (const block of this.blocks) block.zero();
  }

  async copyFrom(other: TensorSet): Promise<void> {
    for (const [i, block] of other.blocks.entries()) this.blocks[i]!.write(await block.read());
  }
}

export interface TrainingState {
  readonly grad: TensorSet;
  readonly mean: TensorSet;
  readonly square: TensorSet;
}

/** Tensors that are trained: with a gradient and AdamW's moments, made when first wanted. */
export class TrainedTensors {
  readonly specs: readonly TensorName[];
  readonly weights: TensorSet;
  readonly #executor: Executor;
  #training: TrainingState | undefined;

  constructor(executor: Executor, specs: readonly TensorName[]) {
    this.#executor = executor;
    this.specs = specs;
    this.weights = this.allocate();
  }

  get parameterCount(): number {
    return this.specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  }

  get blocks(): Block[] {
    const { blocks, matrixBlocks } = this.weights;
    return blocks.map(({ spec }, i) => ({ shape: spec.shape, decay: i < matrixBlocks }));
  }

  /** Three more copies of the weights' size. */
  get training(): TrainingState {
    this.#training ??= {
      grad: this.allocate(),
      mean: this.allocate(),
      square: this.allocate(),
    };
    return this.#training;
  }

  /** Gradient and optimizer state start from zero again. */
  forgetTraining(): void {
    if (this.#training) for (const set of Object.values(this.#training)) set.clear();
  }

  protected allocate(): TensorSet {
    return new TensorSet(this.#executor, this.specs);
  }
}

/** The model's own weights, and their frozen copy where there is one. */
export class WeightStore extends TrainedTensors {
  #reference: TensorSet | undefined;

  constructor(executor: Executor, config: ModelConfig) {
    super(executor, paramSpecs(config));
  }

  get hasReference(): boolean {
    return this.#reference !== undefined;
  }
  /** The weights as they were when {@link freeze} was called. @throws before. */
  get reference(): TensorSet {
    if (!this.#reference)
      throw new EngineError('input', 'there is no reference policy: call freezeReference() first');
    return this.#reference;
  }
  /** Memory for a reference, whatever it holds. */
  openReference(): TensorSet {
    this.#reference ??= this.allocate();
    return this.#reference;
  }
  freeze(): Promise<void> {
    return this.openReference().copyFrom(this.weights);
  }
}

/** Initial weights; each tensor's numbers depend on the seed and its own name alone. */
export function initialWeights(config: ModelConfig, seed: number): NamedArrays {
  const made: NamedArrays = {};
  for (const { name, shape, init } of paramSpecs(config)) {
    const size = sizeOf(shape);
    if (init === 'ones') made[name] = new Float32Array(size).fill(1);
    else if (init === 'zeros') made[name] = new Float32Array(size);
    else {
      const stream = hash32(seed, ...Buffer.from(name));
      const values = normals(stream, size);
      for (let i = 0; i < size; i++) values[i]! *= init.std;
      made[name] = values;
    }
  }
  return made;
}

/** A copy of a set's tensors in this process's memory. */
export async function snapshot(set: Pick<TensorSet, 'byName'>): Promise<NamedArrays> {
  const out: NamedArrays = {};
  for (const [name, buffer] of Object.entries(set.byName))
    out[name] = Float32Array.from(await buffer.read());
  return out;
}

/** @throws naming the tensor that is missing or has another size. */
export function restore(set: TensorSet, arrays: Readonly<NamedArrays>): void {
  for (const [name, buffer] of Object.entries(set.byName)) {
    const data = arrays[name];
    if (!data) throw new EngineError('config', `tensor "${name}" is missing`);
    if (data.length !== sizeOf(buffer.spec.shape))
      throw new EngineError(
        'config',
        `tensor "${name}" has ${data.length} values, expected shape [${buffer.spec.shape}]`,
      );
    buffer.write(data);
  }
}

/** A source's tensors into a set, one after the other: beside the set only one is held. */
export async function fill(set: TensorSet, source: TensorSource, prefix = ''): Promise<void> {
  for (const [name, buffer] of Object.entries(set.byName))
    buffer.write(await source.read(prefix + name));
}
