/**
 * The PolicyEngine in this process: one model on one executor. Chooses which program (training/programs.ts,
 * sampling/programs.ts) runs when, and holds the state that is kept between calls.
 */

import { EngineError } from './errors.ts';
import { Runner } from './executors/runner.ts';
import type { BufferMap, TypedArray } from './executors/types.ts';
import type { EngineLimits } from './limits.ts';
import { Adapter } from './lora/adapter.ts';
import { isAdapterFolder, loadAdapter, saveAdapter } from './lora/peft.ts';
import { scratchOf } from './memory.ts';
import { type Layout, totalRows } from './model/attention.ts';
import { contextLength, type ModelConfig } from './model/config.ts';
import { ropeTables } from './model/rope.ts';
import { f32 } from './ops.ts';
import type { LocalEngineParts } from './parts.ts';
import { CachedModel } from './sampling/model.ts';
import { isTemperature, LEAST_TEMPERATURE } from './sampling/options.ts';
import { sampleRollouts } from './sampling/sampler.ts';
import { makeTensors, mapTensors, type Params } from './tensors.ts';
import { adamwSettings, adamwStep } from './training/adamw.ts';
import { type MicroBatch, microBatches, type TrainingBatch } from './training/batching.ts';
import { type LossShape, lossShape } from './training/losses.ts';
import { gradientNorm, takeStep } from './training/optimizer.ts';
import {
  gradientName,
  layoutName,
  logprobProgram,
  METRIC_NAMES,
  measureProgram,
  programScalars,
  type TrainSettings,
  trainProgram,
} from './training/programs.ts';
import { scoringBatches } from './training/scoring.ts';
import type {
  AdamWOptions,
  Datum,
  LossSpec,
  PolicyEngine,
  Sample,
  SamplingOptions,
  ScoringOptions,
  StepMetrics,
  TokenIds,
  Which,
} from './types.ts';
import { loadEngine, saveEngine } from './weights/checkpoint.ts';
import {
  type NamedArrays,
  restore,
  snapshot,
  type TrainedTensors,
  WeightStore,
} from './weights/store.ts';

type Metrics = Record<(typeof METRIC_NAMES)[number], number>;

/** A {@link PolicyEngine} in this process. Create one with `createLocalEngine` or `loadLocalEngine`. */
export class LocalEngine implements PolicyEngine {
  readonly config: ModelConfig;
  readonly #runner: Runner;
  readonly #store: WeightStore;
  readonly #adapter: Adapter | undefined;
  readonly #base: string;
  readonly #settings: TrainSettings;
  readonly #limits: EngineLimits;
  readonly #rope: BufferMap;
  #steps = 0;
  /** Whether a gradient was accumulated since the last step. */
  #hasGradient = false;

  constructor(parts: LocalEngineParts) {
    const { config, executor, weights, limits, recompute = false, lora } = parts;
    this.config = config;
    this.#limits = limits;
    this.#runner = new Runner(executor, limits.scratchBytes);
    this.#store = new WeightStore(executor, config);
    const { cos, sin, shape } = ropeTables(config, contextLength(config));
    this.#rope = {
      cos: executor.buffer(f32(...shape), cos),
      sin: executor.buffer(f32(...shape), sin),
    };
    if (weights) restore(this.#store.weights, weights);
    this.#adapter = lora && new Adapter(executor, config, lora, lora.seed);
    this.#base = lora?.base ?? '';
    this.#settings = {
      logitsBytes: limits.logitsBytes,
      recompute,
      ...(this.#adapter && { adapters: this.#adapter.modules }),
    };
  }

  get maxLength(): number {
    return contextLength(this.config);
  }
  get parameterCount(): number {
    return this.#store.parameterCount;
  }
  /** Number of trained parameters: those of the model, or of the adapters beside it. */
  get trainedCount(): number {
    return this.#trained.parameterCount;
  }
  /** Human-readable: library, version, backend, threads. */
  get executor(): string {
    return this.#runner.executor.description;
  }
  /** AdamW steps taken so far. */
  get steps(): number {
    return this.#steps;
  }
  /** A copy of the trained weights: those of the model, or of the adapters. */
  paramsSnapshot(): Promise<NamedArrays> {
    return snapshot(this.#trained.weights);
  }
  /** A copy of the gradient accumulated since the last step. */
  gradientsSnapshot(): Promise<NamedArrays> {
    this.#openGradient();
    return snapshot(this.#trained.training.grad);
  }
  /** A copy of the weights that sampling uses: the model's, with the adapters merged into them if there are any. */
  async mergedSnapshot(): Promise<NamedArrays> {
    return snapshot({ byName: await this.#policy() });
  }

  async sample(prompts: readonly TokenIds[], options: SamplingOptions): Promise<Sample[][]> {
    for (const [b, prompt] of prompts.entries()) {
      if (prompt.length === 0)
        throw new EngineError('input', `prompt ${b} is empty: expected at least one token`);
      this.#checkTokens(prompt, `prompt ${b}`, options.maxTokens);
    }
    const parts = {
      config: this.config,
      runner: this.#runner,
      resident: { ...(await this.#policy()), ...this.#rope },
      positions: this.maxLength,
      limits: this.#limits,
    };
    const model = new CachedModel(parts, options);
    try {
      return await sampleRollouts(model, prompts, options);
    } finally {
      model.close();
    }
  }

  async logprobs(
    sequences: readonly TokenIds[],
    which: Which = 'policy',
    options: ScoringOptions = {},
  ): Promise<Float32Array[]> {
    for (const [i, tokens] of sequences.entries()) this.#checkTokens(tokens, `sequence ${i}`);
    const weights = which === 'policy' ? await this.#policy() : this.#reference();
    const results = sequences.map((tokens) => new Float32Array(tokens.length));
    for (const batch of scoringBatches(sequences, this.#limits.microBatchRows))
      batch.collect(await this.#score(batch, weights, temperatureOf(options)), results);
    return results;
  }

  async forwardBackward(
    batch: readonly Datum[],
    loss: LossSpec,
    options: ScoringOptions = {},
  ): Promise<StepMetrics> {
    const scalars = programScalars(loss, temperatureOf(options));
    for (const [i, { tokens }] of batch.entries()) this.#checkTokens(tokens, `datum ${i}`);
    const shape = lossShape(loss);
    const needs = { policyTerms: shape !== 'cross_entropy', reference: shape === 'ppo+kl' };
    this.#openGradient();
    const totals: Metrics = { loss: 0, kl: 0, clipped: 0, gap: 0 };
    let tokens = 0;
    for (const micro of microBatches(batch, needs, this.#limits.microBatchRows)) {
      for (const on of micro.arrays.active) tokens += on;
      const { gap, ...sums } = await this.#train(micro, scalars, shape);
      for (const name of METRIC_NAMES) if (name !== 'gap') totals[name] += sums[name];
      totals.gap = Math.max(totals.gap, gap);
    }
    const mean = (total: number) => (tokens === 0 ? 0 : total / tokens);
    return {
      loss: totals.loss,
      tokens,
      kl: mean(totals.kl),
      clipRatio: mean(totals.clipped),
      logprobGap: needs.policyTerms ? totals.gap : 0,
    };
  }

  async optimStep(options: AdamWOptions): Promise<{ gradNorm: number }> {
    const settings = adamwSettings(options);
    this.#openGradient();
    const gradNorm = await gradientNorm(this.#runner, this.#trained);
    this.#hasGradient = false;
    if (!Number.isFinite(gradNorm))
      throw new EngineError(
        'numeric',
        `the gradient's norm is ${gradNorm}: the step was not taken and the weights are unchanged`,
      );
    const values = adamwStep(settings, this.#steps + 1, gradNorm);
    await takeStep(this.#runner, this.#trained, values);
    this.#steps += 1;
    this.#adapter?.changed();
    return { gradNorm };
  }

  /**
   * Copies the current weights as the reference. With adapters the base model is the reference and nothing is copied.
   */
  async freezeReference(): Promise<void> {
    if (!this.#adapter) await this.#store.freeze();
  }

  /** Saves weights and optimizer state. A gradient that was not yet used by a step is not saved. */
  async save(directory: string, options: { readonly weightsOnly?: boolean } = {}): Promise<void> {
    const { weightsOnly = false } = options;
    if (this.#adapter) {
      const about = { base: this.#base, steps: this.#steps, weightsOnly };
      await saveAdapter(directory, this.#adapter, about);
      return;
    }
    await saveEngine(directory, this.config, this.#store, { steps: this.#steps, weightsOnly });
  }

  /**
   * Loads weights, and the optimizer state and reference saved beside them. Without a saved state the optimizer starts
   * from zero; without a saved reference a frozen one stays. A folder with an adapter loads the adapter; one with a
   * model loads the base model and resets the adapter.
   */
  async load(directory: string): Promise<void> {
    this.#hasGradient = false;
    if (await isAdapterFolder(directory)) {
      if (!this.#adapter)
        throw new EngineError(
          'file',
          `${directory} has an adapter, but this engine was opened without lora`,
        );
      this.#steps = await loadAdapter(directory, this.#adapter);
      return;
    }
    const steps = await loadEngine(directory, this.#store);
    this.#adapter?.restart();
    this.#steps = this.#adapter ? 0 : steps;
  }

  close(): Promise<void> {
    return this.#runner.close();
  }

  async #train(
    micro: TrainingBatch,
    scalars: Readonly<Record<string, number>>,
    shape: LossShape,
  ): Promise<Metrics> {
    const { layout, arrays, still } = micro;
    const scratch = this.#scratch(layout, !still);
    const make = still ? measureProgram : trainProgram;
    const gradients = still ? {} : this.#gradients();
    const found = await this.#runner.run({
      key: `${still ? 'measure' : 'train'} ${shape} ${layoutName(layout)}`,
      make: () => make(this.config, layout, shape, this.maxLength, this.#settings),
      scratch,
      resident: {
        ...this.#store.weights.byName,
        ...this.#adapter?.weights.byName,
        ...this.#rope,
        ...gradients,
      },
      fresh: { ...arrays, ...asArrays(scalars) },
      wanted: makeTensors(METRIC_NAMES, () => f32()),
      updated: gradients,
    });
    const at = (name: (typeof METRIC_NAMES)[number]) => found[name][0]!;
    return {
      loss: at('loss'),
      kl: at('kl'),
      clipped: at('clipped'),
      gap: at('gap'),
    };
  }

  async #score(
    { layout, arrays }: MicroBatch,
    weights: BufferMap,
    temperature: number,
  ): Promise<TypedArray> {
    const { logp } = await this.#runner.run({
      key: `logprobs ${layoutName(layout)}`,
      make: () => logprobProgram(this.config, layout, this.maxLength, this.#settings),
      scratch: this.#scratch(layout, false),
      resident: { ...weights, ...this.#rope },
      fresh: { ...arrays, ...asArrays({ sharpness: 1 / temperature }) },
      wanted: { logp: f32(totalRows(layout)) },
    });
    return logp;
  }

  /** Bytes of scratch memory that the program of a layout keeps. */
  #scratch(layout: Layout, trains: boolean): number {
    const plan = { config: this.config, ...this.#settings, trains };
    const { activations, logits } = scratchOf(
      plan,
      totalRows(layout),
      layout.prefix + layout.length,
    );
    return activations + logits;
  }

  get #trained(): TrainedTensors {
    return this.#adapter ?? this.#store;
  }

  /** The weights of the policy, with adapters merged. */
  async #policy(): Promise<BufferMap> {
    const { byName } = this.#store.weights;
    if (!this.#adapter) return byName;
    return { ...byName, ...(await this.#adapter.merged(this.#runner, byName)) };
  }

  #reference(): BufferMap {
    return (this.#adapter ? this.#store.weights : this.#store.reference).byName;
  }

  #gradients(): BufferMap {
    const { byName } = this.#trained.training.grad;
    return Object.fromEntries(
      Object.entries(byName).map(([name, buffer]) => [gradientName(name), buffer]),
    );
  }

  /** Zeroes the gradient if the last step used it. */
  #openGradient(): void {
    if (this.#hasGradient) return;
    this.#trained.training.grad.clear();
    this.#hasGradient = true;
  }

  #checkTokens(tokens: TokenIds, what: string, more = 0): void {
    const { vocab_size: vocabulary } = this.config;
    if (tokens.length + more > this.maxLength)
      throw new EngineError(
        'input',
        `${what}: expected at most ${this.maxLength} tokens, got ${tokens.length}${more ? ` and ${more} to generate` : ''}`,
      );
    const wrong = tokens.find((id) => id < 0 || id >= vocabulary);
    if (wrong !== undefined)
      throw new EngineError(
        'input',
        `${what}: token ${wrong} is outside the vocabulary of ${vocabulary}`,
      );
  }
}

/** @throws EngineError `config` if it is too small to divide logits by */
function temperatureOf({ temperature = 1 }: ScoringOptions): number {
  if (isTemperature(temperature)) return temperature;
  throw new EngineError(
    'config',
    `temperature: expected a number of at least ${LEAST_TEMPERATURE}, got ${temperature}`,
  );
}

function asArrays(values: Params<number>): Params<Float32Array> {
  return mapTensors(values, (x: number) => Float32Array.of(x));
}
