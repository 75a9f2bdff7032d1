/**
 * The tensors of adapters on an executor, and the weights that sampling uses, W + scale B A. Merged weights are copies
 * of the adapted matrices; the base model is never changed, so it can serve as the reference.
 */

import type { Runner } from '../executors/runner.ts';
import type { BufferMap, Executor, Program } from '../executors/types.ts';
import type { ModelConfig } from '../model/config.ts';
import { adapterNames } from '../model/linear.ts';
import { f32, type Ops, scalar, type TensorSpec } from '../ops.ts';
import { type Params, requireParam } from '../tensors.ts';
import { restore, TrainedTensors } from '../weights/store.ts';
import {
  adapterSpecs,
  initialAdapter,
  type LoraModule,
  type LoraOptions,
  loraModules,
} from './options.ts';

/** The adapters of a model on an executor. */
export class Adapter extends TrainedTensors {
  readonly options: LoraOptions;
  readonly modules: readonly LoraModule[];
  readonly #seed: number;
  readonly #executor: Executor;
  #merged: BufferMap | undefined;
  #isMerged = false;

  /** @throws EngineError `config` if a target names no linear layer of the model */
  constructor(executor: Executor, config: ModelConfig, options: LoraOptions, seed: number) {
    const modules = loraModules(config, options);
    super(executor, adapterSpecs(modules));
    this.#executor = executor;
    this.options = options;
    this.modules = modules;
    this.#seed = seed;
    this.restart();
  }

  /** Resets the adapter to its initial state, which changes nothing. */
  restart(): void {
    restore(this.weights, initialAdapter(this.modules, this.#seed));
    this.forgetTraining();
    this.changed();
  }

  /** Marks merged weights as outdated: the adapter's weights or the base weights have changed. */
  changed(): void {
    this.#isMerged = false;
  }

  /** The merged matrices under their own names, computed again after a change. */
  async merged(runner: Runner, base: BufferMap): Promise<BufferMap> {
    const merged = this.#openMerged();
    if (!this.#isMerged) for (const module of this.modules) await this.#merge(runner, base, module);
    this.#isMerged = true;
    return merged;
  }

  async #merge(runner: Runner, base: BufferMap, module: LoraModule): Promise<void> {
    const { a, b } = adapterNames(module.name);
    const weight = `${module.name}.weight`;
    await runner.run({
      key: `merge ${module.outputs}x${module.inputs}, ${module.rank}`,
      make: () => mergeProgram(module),
      resident: {
        weight: requireParam(base, weight),
        a: requireParam(this.weights.byName, a),
        b: requireParam(this.weights.byName, b),
      },
      fresh: { scale: Float32Array.of(module.scale) },
      wanted: {},
      updated: { merged: requireParam(this.#openMerged(), weight) },
    });
  }

  #openMerged(): BufferMap {
    if (this.#merged) return this.#merged;
    const specs = this.modules.map(({ outputs, inputs }) => f32(outputs, inputs));
    const { parts } = this.#executor.allocate(specs);
    this.#merged = Object.fromEntries(
      this.modules.map(({ name }, i) => [`${name}.weight`, parts[i]!]),
    );
    return this.#merged;
  }
}

/** weight [out, in], a [r, in], b [out, r], scale [] -> merged [out, in] */
function mergeProgram({
  outputs,
  inputs,
  rank,
}: LoraModule): Program<'weight' | 'a' | 'b' | 'scale'> {
  return {
    name: `merge ${outputs}x${inputs}`,
    inputs: {
      weight: f32(outputs, inputs),
      a: f32(rank, inputs),
      b: f32(outputs, rank),
      scale: f32(),
    },
    build: (ops, { weight, a, b, scale }) => ({
      merged: ops.add(weight, ops.matmul(ops.mul(b, scale), a)),
    }),
  };
}

/** The tensors of the adapters as inputs of a program. */
export function adapterInputs(modules: readonly LoraModule[]): Params<TensorSpec> {
  return Object.fromEntries(adapterSpecs(modules).map(({ name, shape }) => [name, f32(...shape)]));
}

/** The scales under their names, for {@link linear}. */
export function adapterScales<T>(ops: Ops<T>, modules: readonly LoraModule[]): Params<T> {
  return Object.fromEntries(
    modules.map(({ name, scale }) => [adapterNames(name).scale, scalar(ops, scale)]),
  );
}
