import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLocalEngine, type LocalEngine } from '../index.ts';
import { sizeOf, type TensorSpec } from '../ops.ts';
import { type Plain, plain, ReferenceOps } from '../reference/reference.ts';
import { normals } from '../sampling/random.ts';
import { mapTensors } from '../tensors.ts';
import { available, quick } from '../testing/backends.ts';
import { livelyWeights, relativeError, someData, tinyConfig } from '../testing/data.ts';
import { type MicroBatch, microBatches } from '../training/batching.ts';
import { lossShape } from '../training/losses.ts';
import {
  DEFAULT_TRAIN_SETTINGS,
  gradientName,
  headPieces,
  measureProgram,
  programScalars,
  trainProgram,
} from '../training/programs.ts';
import type { Datum, LossSpec } from '../types.ts';
import type { NamedArrays } from '../weights/store.ts';
import { paramSpecs } from './config.ts';
import { ropeTables } from './rope.ts';

const positions = 320;
const weights = livelyWeights(tinyConfig, 7);
const data = someData(tinyConfig, 3);
const names = paramSpecs(tinyConfig).map(({ name }) => name);
const ops = new ReferenceOps();

const losses: LossSpec[] = [
  { kind: 'cross_entropy' },
  { kind: 'importance_sampling' },
  { kind: 'ppo', clipLow: 0.2, clipHigh: 0.3, beta: 0 },
  { kind: 'ppo', clipLow: 0.2, clipHigh: 0.3, beta: 0.2 },
  { kind: 'cispo', clipHigh: 0.3 },
];

function batches(spec: LossSpec, what: readonly Datum[], rows = 200) {
  return microBatches(
    what,
    { policyTerms: spec.kind !== 'cross_entropy', reference: lossShape(spec) === 'ppo+kl' },
    rows,
  );
}

/** Not 1, so that what it does to losses and gradients is seen. */
const TEMPERATURE = 0.8;

/** A program's inputs in float64. */
function inputsOf(micro: MicroBatch, spec: LossSpec, params: Readonly<Record<string, Plain>>) {
  const { inputs } = trainProgram(tinyConfig, micro.layout, lossShape(spec), positions);
  const { cos, sin } = ropeTables(tinyConfig, positions);
  const numbers = Object.entries(programScalars(spec, TEMPERATURE)).map(([name, x]) => [name, [x]]);
  const arrays: Record<string, ArrayLike<number>> = {
    cos,
    sin,
    ...micro.arrays,
    ...Object.fromEntries(numbers),
  };
  const zero = (size: number) => new Float64Array(size);
  return mapTensors(
    inputs,
    ({ shape }: TensorSpec, name): Plain =>
      params[name] ?? plain(arrays[name] ?? zero(sizeOf(shape)), shape),
  );
}

function plainWeights(arrays: Readonly<NamedArrays>): Record<string, Plain> {
  return Object.fromEntries(
    paramSpecs(tinyConfig).map(({ name, shape }) => [name, plain(arrays[name]!, shape)]),
  );
}

interface Differentiated {
  readonly loss: number;
  readonly gradients: Record<string, Float64Array>;
}
const known = new Map<LossSpec, Differentiated>();

/** Loss and gradients by the tape over the reference. */
function reference(spec: LossSpec): Differentiated {
  const found = known.get(spec) ?? differentiate(spec);
  known.set(spec, found);
  return found;
}

function differentiate(
  spec: LossSpec,
  settings = DEFAULT_TRAIN_SETTINGS,
  micros = batches(spec, data),
): Differentiated {
  const gradients: Record<string, Float64Array> = {};
  let loss = 0;
  for (const micro of micros) {
    const program = trainProgram(tinyConfig, micro.layout, lossShape(spec), positions, settings);
    const made = program.build(ops, inputsOf(micro, spec, plainWeights(weights)));
    loss += made.loss!.data[0]!;
    for (const name of names) {
      const part = made[gradientName(name)]!.data;
      gradients[name] = gradients[name]?.map((x, i) => x + part[i]!) ?? part;
    }
  }
  return { loss, gradients };
}

function referenceLoss(spec: LossSpec, params: Readonly<Record<string, Plain>>): number {
  return batches(spec, data).reduce((sum, micro) => {
    const program = measureProgram(tinyConfig, micro.layout, lossShape(spec), positions);
    return sum + program.build(ops, inputsOf(micro, spec, params)).loss!.data[0]!;
  }, 0);
}

/** d loss / d step along a random direction of the tensors named, by central differences. */
function slope(
  spec: LossSpec,
  along: readonly string[],
): { found: number; direction: NamedArrays } {
  const base = plainWeights(weights);
  const direction = Object.fromEntries(
    along.map((name, i) => [name, normals(50 + i, base[name]!.data.length)]),
  );
  const h = 1e-5;
  const moved = (step: number) => {
    const params = { ...base };
    for (const name of along) {
      const { shape, data: values } = base[name]!;
      params[name] = { shape, data: values.map((x, i) => x + step * direction[name]![i]!) };
    }
    return referenceLoss(spec, params);
  };
  return { found: (moved(h) - moved(-h)) / (2 * h), direction };
}

function along(gradients: Record<string, Float64Array>, direction: NamedArrays): number {
  return Object.entries(direction).reduce(
    (sum, [name, d]) => sum + d.reduce((s, x, i) => s + x * gradients[name]![i]!, 0),
    0,
  );
}

describe('gradients of the model', () => {
  // Not for cispo, whose gradient stops at the weight of a token: tape.test.ts has its formula.
  test.each(losses.filter(({ kind }) => kind !== 'cispo'))(
    'the gradient of $kind with beta $beta equals finite differences',
    (spec) => {
      const { found, direction } = slope(spec, names);
      const expected = along(reference(spec).gradients, direction);
      expect(Math.abs(found - expected)).toBeLessThan(1e-5 * Math.abs(found));
    },
  );

  test.each(names)('the gradient of %s equals finite differences', (name) => {
    const spec = losses[3]!;
    const { found, direction } = slope(spec, [name]);
    const expected = along(reference(spec).gradients, direction);
    expect(Math.abs(found - expected)).toBeLessThan(1e-5 * Math.abs(found) + 1e-8);
  });
});

/** Logits of 16 rows at once, and nothing kept inside a layer. */
const frugal = { logitsBytes: 64 * tinyConfig.vocab_size, recompute: true };

test('chunked logits and recomputed layers give the same loss and gradients', () => {
  for (const spec of losses) {
    const plainly = reference(spec);
    const found = differentiate(spec, frugal);
    expect(Math.abs(found.loss - plainly.loss)).toBeLessThan(1e-12 * Math.abs(plainly.loss));
    for (const name of names)
      expect(relativeError(found.gradients[name]!, plainly.gradients[name]!), name).toBeLessThan(
        1e-12,
      );
  }
});

test('chunks of logits are few, even, and cover all rows', () => {
  expect(headPieces(1024, 49_152, 2 ** 26)).toEqual([256, 256, 256, 256]);
  expect(headPieces(1000, 49_152, 2 ** 26)).toEqual([336, 336, 328]);
  expect(headPieces(40, 13, 4)).toEqual([16, 16, 8]);
  expect(headPieces(7, 13, 4000)).toEqual([7]);
});

describe.each([
  ...available.map((where) => ({ where, limits: {} })),
  ...quick.map((where) => ({ where, limits: frugal })),
])('$where.executor $where.backend, $limits', ({ where, limits }) => {
  let engine: LocalEngine;
  beforeAll(async () => {
    const options = { config: tinyConfig, seed: 1, weights, threads: 1, microBatchRows: 200 };
    engine = await createLocalEngine({ ...options, ...where, ...limits });
  });
  afterAll(() => engine.close());

  test.each(limits === frugal ? losses.slice(3) : losses)(
    'loss and gradients equal the float64 reference: $kind, beta $beta',
    async (spec) => {
      const { loss } = await engine.forwardBackward(data, spec, { temperature: TEMPERATURE });
      const gradients = await engine.gradientsSnapshot();
      await engine.optimStep({ learningRate: 0 });
      const expected = reference(spec);
      expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-5 * Math.abs(expected.loss));
      for (const name of names)
        expect(relativeError(gradients[name]!, expected.gradients[name]!), name).toBeLessThan(2e-5);
    },
  );

  test('the gradient is the same whether or not sequences share their prompt', async () => {
    const spec = losses[3]!;
    await engine.forwardBackward(data, spec, { temperature: TEMPERATURE });
    const shared = await engine.gradientsSnapshot();
    await engine.optimStep({ learningRate: 0 });
    for (const datum of data)
      await engine.forwardBackward([datum], spec, { temperature: TEMPERATURE });
    const apart = await engine.gradientsSnapshot();
    await engine.optimStep({ learningRate: 0 });
    for (const name of names)
      expect(relativeError(apart[name]!, shared[name]!), name).toBeLessThan(2e-5);
  });
});

/** Two completions of one prompt, and another prompt's: of 128 rows on, attention takes them in parts. */
const long = [
  [1, 140, 130],
  [1, 140, 150],
  [2, 40, 200],
].map(([seed, prompt, completion]): Datum => {
  const draw = (from: number, n: number) =>
    normals(from, n).map((x) => Math.floor(Math.abs(x) * 1000) % tinyConfig.vocab_size);
  return {
    tokens: Int32Array.of(...draw(seed!, prompt!), ...draw(completion!, completion!)),
    weights: new Float32Array(prompt! + completion!).fill(1 / completion!, prompt),
  };
});

describe('sequences that attention takes in parts', () => {
  const spec = losses[0]!;
  const rows = 1000;
  const micros = batches(spec, long, rows);
  const expected = differentiate(spec, DEFAULT_TRAIN_SETTINGS, micros);

  test('long sequences are split in a prefix, in its branches and alone', () => {
    const shapes = micros.map(({ layout: { prefix, length } }) => [prefix, length]);
    expect(shapes).toEqual([
      [160, 160],
      [0, 256],
    ]);
  });

  test.each(quick)(
    'split sequences have the loss and gradients of the reference on $executor $backend',
    async (where) => {
      const config = { ...tinyConfig, max_position_embeddings: positions };
      const options = { config, seed: 1, weights, threads: 2, microBatchRows: rows };
      const engine = await createLocalEngine({ ...options, ...where });
      const { loss } = await engine.forwardBackward(long, spec, { temperature: TEMPERATURE });
      const gradients = await engine.gradientsSnapshot();
      await engine.close();
      expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-5 * Math.abs(expected.loss));
      for (const name of names)
        expect(relativeError(gradients[name]!, expected.gradients[name]!), name).toBeLessThan(2e-5);
    },
  );
});
