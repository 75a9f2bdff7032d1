/** Helpers of the engine tests: small models, random arrays, and gradients by finite differences. */

import type { Executor, Program, TypedArray } from '../executors/types.ts';
import { type ModelConfig, parseModelConfig } from '../model/config.ts';
import type { TensorSpec } from '../ops.ts';
import { hash32, normals } from '../sampling/random.ts';
import { mapTensors, type Params, type Tensors } from '../tensors.ts';
import type { Datum } from '../types.ts';
import { initialWeights, type NamedArrays } from '../weights/store.ts';

/** Two layers, grouped-query attention, 13 tokens. */
export const tinyConfig: ModelConfig = parseModelConfig({
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 24,
  vocab_size: 13,
  max_position_embeddings: 64,
  eos_token_id: 1,
});

/** Initial weights times ten: distributions far from uniform, so that tests can detect differences. */
export function livelyWeights(config: ModelConfig, seed: number): NamedArrays {
  const weights = initialWeights(config, seed);
  for (const [name, data] of Object.entries(weights))
    if (!name.includes('norm')) weights[name] = data.map((x) => x * 10);
  return weights;
}

/** Counter-based random whole numbers in [low, high). */
export function integers(seed: number, count: number, low: number, high: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => low + (hash32(seed, i) % (high - low)));
}

/** Sequences: some share a prompt, one has its own prompt, one has no weight at all. */
export function someData(config: ModelConfig, seed: number): Datum[] {
  const prompts = [5, 5, 5, 2, 9, 9, 4].map((length, i) =>
    integers(seed + length, length + (i > 4 ? 0 : 0), 2, config.vocab_size),
  );
  return prompts.map((prompt, n) => datum(config, seed * 100 + n, prompt, n === 6 ? 0 : 1));
}

function datum(config: ModelConfig, seed: number, prompt: Int32Array, weight: number): Datum {
  const length = 3 + (seed % 5);
  const tokens = Int32Array.of(...prompt, ...integers(seed, length, 0, config.vocab_size));
  const noise = normals(seed, tokens.length * 4);
  const own = (f: (t: number) => number) =>
    Float32Array.from(tokens, (_, t) => (t < prompt.length ? 0 : f(t)));
  return {
    tokens,
    weights: own((t) => weight * (0.2 + Math.abs(noise[t]!))),
    advantages: own((t) => noise[tokens.length + t]!),
    logprobs: own((t) => -2 + 0.7 * noise[2 * tokens.length + t]!),
    refLogprobs: own((t) => -2 + 0.7 * noise[3 * tokens.length + t]!),
  };
}

/** Runs a program once and reads its outputs. */
export async function runProgram<W extends string>(
  executor: Executor,
  program: Program,
  inputs: Params<TypedArray>,
  outputs: Tensors<W, TensorSpec>,
): Promise<Tensors<W, TypedArray>> {
  const compiled = await executor.compile(program);
  const wrap = (specs: Params<TensorSpec>) =>
    mapTensors(specs, (spec: TensorSpec, name) => executor.buffer(spec, inputs[name]?.slice()));
  const [given, made] = [wrap(program.inputs), wrap(outputs)];
  await compiled.run(given, made);
  const results = await Promise.all(
    Object.entries(made).map(
      async ([name, buffer]) => [name, (await buffer.read()).slice()] as const,
    ),
  );
  return Object.fromEntries(results) as Tensors<W, TypedArray>;
}

/** Maximum |a - b| over the maximum |b|. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, scale] = [0, 1e-12];
  for (let i = 0; i < b.length; i++) {
    difference = Math.max(difference, Math.abs(a[i]! - b[i]!));
    scale = Math.max(scale, Math.abs(b[i]!));
  }
  return a.length === b.length ? difference / scale : Infinity;
}
