/** The measurements of gpu.ts on one executor: products, the cost of an operation, training steps, rollouts. */

import type { Executor, Program } from '../../../packages/engine/src/executors/types.ts';
import { ENGINE_DEFAULTS } from '../../../packages/engine/src/limits.ts';
import { LocalEngine } from '../../../packages/engine/src/local.ts';
import { paramSpecs } from '../../../packages/engine/src/model/config.ts';
import { f32, sizeOf } from '../../../packages/engine/src/ops.ts';
import { normals } from '../../../packages/engine/src/sampling/random.ts';
import type { NamedArrays } from '../../../packages/engine/src/weights/store.ts';
import type { Datum } from '../../../packages/trainer/src/types.ts';
import { median } from '../common.ts';
import type { GpuModel, Plan } from './shapes.ts';

/** Microseconds of one more operation on 64 numbers within a program. */
export async function dispatch(executor: Executor, [short, long]: Plan['chain']): Promise<number> {
  const [few, many] = [await chain(executor, short), await chain(executor, long)];
  return ((many - few) / (long - short)) * 1000;
}

async function chain(executor: Executor, operations: number): Promise<number> {
  const program: Program = {
    name: `chain ${operations}`,
    inputs: { x: f32(64), y: f32(64) },
    build: (ops, { x, y }) => {
      let z = ops.mul(x!, y!);
      for (let i = 1; i < operations; i++) z = i % 2 ? ops.add(z, x!) : ops.mul(z, y!);
      return { z };
    },
  };
  const compiled = await executor.compile(program);
  const [x, y] = executor.allocate([f32(64), f32(64)]).parts;
  const z = executor.buffer(f32(64));
  const times: number[] = [];
  for (let i = 0; i < 6; i++) {
    const began = performance.now();
    await compiled.run({ x: x!, y: y! }, { z });
    await z.read();
    if (i > 0) times.push(performance.now() - began);
  }
  await compiled.dispose();
  return median(times);
}

/** Random weights: a million normal numbers repeated, because drawing all of 0.5 B takes minutes. */
export function randomWeights({ config }: GpuModel): NamedArrays {
  const drawn = normals(1, 2 ** 20);
  const weights: NamedArrays = {};
  for (const { name, shape, init } of paramSpecs(config)) {
    const values = new Float32Array(sizeOf(shape)).fill(init === 'ones' ? 1 : 0);
    if (typeof init === 'object')
      for (let i = 0; i < values.length; i++) values[i] = drawn[i % drawn.length]! * init.std;
    weights[name] = values;
  }
  return weights;
}

export function engineFor(executor: Executor, { config }: GpuModel, weights: NamedArrays) {
  return new LocalEngine({
    config,
    executor,
    weights,
    // A GPU has the memory for 256 MB of logits (engine.logitsMb), and larger products are faster.
    limits: { ...ENGINE_DEFAULTS, microBatchRows: 4096, cacheBytes: 2 ** 33, logitsBytes: 2 ** 28 },
  });
}

/** Tokens of one training step; each sequence has one token more than its rows. */
export function trainingTokens(
  { config }: GpuModel,
  { sequences, length }: Plan['training'],
  step: number,
): Int32Array[] {
  return Array.from({ length: sequences }, (_, i) =>
    Int32Array.from(
      { length: length + 1 },
      (__, t) => (i * 37 + step * 11 + t * t * 3 + t * 7) % config.vocab_size,
    ),
  );
}

/** One training step with cross-entropy: forward, backward, AdamW. Reading the loss waits for the device. */
export async function trainingStep(
  engine: LocalEngine,
  tokens: readonly Int32Array[],
): Promise<number> {
  const data = tokens.map((sequence): Datum => {
    const rows = sequence.length - 1;
    const weights = new Float32Array(sequence.length).fill(1 / (rows * tokens.length));
    return { tokens: sequence, weights: weights.fill(0, 0, 1) };
  });
  const { loss } = await engine.forwardBackward(data, { kind: 'cross_entropy' });
  await engine.optimStep({ learningRate: 1e-4 });
  return loss;
}

/**
 * Generates rollouts of exactly the requested length, ignoring end tokens.
 * @returns the number of tokens
 */
export async function rollouts(
  engine: LocalEngine,
  { config }: GpuModel,
  { sequences, prompt, write }: Plan['rollouts'][number],
): Promise<number> {
  const prompts = Array.from({ length: sequences }, (_, i) =>
    Int32Array.from({ length: prompt }, (__, t) => (3 + i * 31 + t * 17) % config.vocab_size),
  );
  const options = { groupSize: 1, maxTokens: write, temperature: 1, seed: 1 };
  const samples = await engine.sample(prompts, options);
  return samples.flat().reduce((sum, { tokens }) => sum + tokens.length, 0);
}
