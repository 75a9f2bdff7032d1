/** The tensors of a policy on an executor: weights, gradients, both AdamW moments, and the frozen reference. */

import { EngineError } from '../errors.ts';
import type { Executor, TensorBuffer } from '../executors/types.ts';
import { type ModelConfig, type ParamSpec, paramSpecs } from '../model/config.ts';
import { f32, sizeOf } from '../ops.ts';
import { hash32, normals } from '../sampling/random.ts';
import type { Block } from '../training/adamw.ts';
import type { TensorSource } from './source.ts';

/** Arrays by Hugging Face tensor name. */
export type NamedArrays = Record<string, Float32Array>;

export type TensorName = Pick<ParamSpec, 'name' | 'shape'>;

/** One tensor for each weight. */
export class TensorSet {
  readonly byName: Readonly<Record<string, TensorBuffer>>;
  /** The same memory by {@link Block}: matrices first, then the gains of norms. */
  readonly blocks: readonly TensorBuffer[];
  readonly matrixBlocks: number;

  constructor(executor: Executor, specs: readonly TensorName[]) {
    const allocate = (isMatrix: boolean) => {
      const chosen = specs.filter(({ shape }) => shape.length > 1 === isMatrix);
      const { parts, whole } = executor.allocate(chosen.map(({ shape }) => f32(...shape)));
      return { whole, named: chosen.map(({ name }, i) => [name, parts[i]!] as const) };
    };
    const [matrices, vectors] = [allocate(true), allocate(false)];
    this.byName = Object.fromEntries([...matrices.named, ...vectors.named]);
    this.blocks = [...matrices.whole, ...vectors.whole];
    this.matrixBlocks = matrices.whole.length;
  }

  clear(): void {
    for (const block of this.blocks) block.zero();
  }

  async copyFrom(other: TensorSet): Promise<void> {
    for (const [i, block] of other.blocks.entries()) this.blocks[i]!.write(await block.read());
  }
}

/** Gradient and AdamW moments. */
export interface TrainingState {
  readonly grad: TensorSet;
  readonly mean: TensorSet;
  readonly square: TensorSet;
}

/** Trained tensors, with a gradient and AdamW moments that are allocated on first use. */
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

  /** Allocates gradient and moments: three copies of the size of the weights. */
  get training(): TrainingState {
    this.#training ??= {
      grad: this.allocate(),
      mean: this.allocate(),
      square: this.allocate(),
    };
    return this.#training;
  }

  /** Resets gradient and optimizer state to zero. */
  forgetTraining(): void {
    if (this.#training) for (const set of Object.values(this.#training)) set.clear();
  }

  protected allocate(): TensorSet {
    return new TensorSet(this.#executor, this.specs);
  }
}

/** The weights of the model, and their frozen copy if there is one. */
export class WeightStore extends TrainedTensors {
  #reference: TensorSet | undefined;

  constructor(executor: Executor, config: ModelConfig) {
    super(executor, paramSpecs(config));
  }

  get hasReference(): boolean {
    return this.#reference !== undefined;
  }
  /**
   * The weights at the time of {@link freeze}.
   * @throws EngineError `input` before that
   */
  get reference(): TensorSet {
    if (!this.#reference)
      throw new EngineError('input', 'no reference policy: call freezeReference() first');
    return this.#reference;
  }
  /** Memory for a reference, with any contents. */
  openReference(): TensorSet {
    this.#reference ??= this.allocate();
    return this.#reference;
  }
  freeze(): Promise<void> {
    return this.openReference().copyFrom(this.weights);
  }
}

/** Initial weights; the numbers of each tensor depend only on the seed and its name. */
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

/** A copy of the tensors of a set in the memory of this process. */
export async function snapshot(set: Pick<TensorSet, 'byName'>): Promise<NamedArrays> {
  const out: NamedArrays = {};
  for (const [name, buffer] of Object.entries(set.byName))
    out[name] = Float32Array.from(await buffer.read());
  return out;
}

/**
 * Writes arrays into a set.
 * @throws EngineError `config` naming the tensor that is missing or has another size
 */
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

/** Reads the tensors of a source into a set, one at a time, so that only one is held beside the set. */
export async function fill(set: TensorSet, source: TensorSource, prefix = ''): Promise<void> {
  for (const [name, buffer] of Object.entries(set.byName))
    buffer.write(await source.read(prefix + name));
}
