import { afterAll, describe, expect, test } from 'vitest';
import { createLocalEngine, type LocalEngine, type NamedArrays } from '../index.ts';
import { paramSpecs } from '../model/config.ts';
import { available } from '../testing/backends.ts';
import { livelyWeights, relativeError, someData, tinyConfig } from '../testing/data.ts';
import type { AdamWOptions, Datum } from '../types.ts';
import { adamwSettings } from './adamw.ts';

const weights = livelyWeights(tinyConfig, 7);
const data = someData(tinyConfig, 3);
const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.98, eps: 1e-8, weightDecay: 0.1 };
const clipped = { ...options, maxGradNorm: 0.5 } satisfies AdamWOptions;
function isMatrix(name: string) {
  return paramSpecs(tinyConfig).find((param) => param.name === name)!.shape.length > 1;
}

const opened: LocalEngine[] = [];
afterAll(() => Promise.all(opened.map((engine) => engine.close())));
async function open(where: (typeof available)[number]): Promise<LocalEngine> {
  const engine = await createLocalEngine({
    config: tinyConfig,
    seed: 1,
    weights,
    threads: 1,
    ...where,
  });
  opened.push(engine);
  return engine;
}

type Moments = Record<string, { m: number[]; v: number[] }>;

/** Algorithm 2 of Loshchilov & Hutter 2019 with clipping by the global norm, in float64. */
function byFormula(w: NamedArrays, g: NamedArrays, moments: Moments, t: number): NamedArrays {
  const norm = Math.sqrt(
    Object.values(g).reduce((sum, xs) => sum + xs.reduce((s, x) => s + x * x, 0), 0),
  );
  const scale = Math.min(1, clipped.maxGradNorm / norm);
  const next: NamedArrays = {};
  for (const [name, values] of Object.entries(w)) {
    moments[name] ??= { m: [...values].map(() => 0), v: [...values].map(() => 0) };
    const { m, v } = moments[name];
    const decay = isMatrix(name) ? options.learningRate * options.weightDecay : 0;
    next[name] = values.map((x, i) => {
      const gradient = scale * g[name]![i]!;
      m[i] = options.beta1 * m[i]! + (1 - options.beta1) * gradient;
      v[i] = options.beta2 * v[i]! + (1 - options.beta2) * gradient ** 2;
      const mean = m[i]! / (1 - options.beta1 ** t);
      const square = v[i]! / (1 - options.beta2 ** t);
      return x - decay * x - (options.learningRate * mean) / (Math.sqrt(square) + options.eps);
    });
  }
  return next;
}

describe.each(available)('$executor $backend', (where) => {
  test('AdamW takes the steps of the formula: decay of matrices only, bias correction, clipping', async () => {
    const engine = await open(where);
    const moments: Moments = {};
    let expected = weights;
    for (const t of [1, 2, 3]) {
      await engine.forwardBackward(data, { kind: 'cross_entropy' });
      const gradients = await engine.gradientsSnapshot();
      expected = byFormula(expected, gradients, moments, t);
      const { gradNorm } = await engine.optimStep(clipped);
      expect(gradNorm).toBeGreaterThan(clipped.maxGradNorm);
      const found = await engine.paramsSnapshot();
      for (const name of Object.keys(weights))
        expect(relativeError(found[name]!, expected[name]!), name).toBeLessThan(1e-5);
    }
  });

  test('AdamW clips by the global norm and reports the norm before clipping', async () => {
    const engine = await open(where);
    await engine.forwardBackward(data, { kind: 'cross_entropy' });
    const gradients = Object.values(await engine.gradientsSnapshot());
    const norm = Math.sqrt(gradients.flatMap((g) => [...g]).reduce((sum, x) => sum + x * x, 0));
    const { gradNorm } = await engine.optimStep(clipped);
    expect(gradNorm / norm).toBeCloseTo(1, 5);
  });

  test('every step starts from a zero gradient', async () => {
    const engine = await open(where);
    const norm = async (batch: readonly Datum[]) => {
      await engine.forwardBackward(batch, { kind: 'cross_entropy' });
      return (await engine.optimStep({ learningRate: 0 })).gradNorm;
    };
    const first = await norm(data);
    expect(await norm([])).toBe(0);
    expect(await norm(data)).toBe(first);
  });
});

test('one step on the same batch gives the same weights on all executors', async () => {
  const after = [];
  for (const where of available) {
    const engine = await open(where);
    await engine.forwardBackward(data, { kind: 'ppo', clipLow: 0.2, clipHigh: 0.2, beta: 0.1 });
    await engine.optimStep({ learningRate: 1e-3, eps: 1e-3 });
    after.push(await engine.paramsSnapshot());
  }
  for (const other of after.slice(1))
    for (const name of Object.keys(weights))
      expect(relativeError(other[name]!, after[0]![name]!), name).toBeLessThan(5e-6);
});

test('steps with a large vocabulary sum the gradients of repeated tokens and are reproducible', async () => {
  const config = { ...tinyConfig, vocab_size: 5000 };
  const many = someData(config, 3).flatMap((datum) => [
    datum,
    { ...datum, tokens: datum.tokens.toReversed() },
  ]);
  const run = async (executor: 'onnx' | 'tfjs') => {
    const backend = executor === 'tfjs' ? { backend: 'wasm' } : {};
    const engine = await createLocalEngine({ config, seed: 1, threads: 2, executor, ...backend });
    opened.push(engine);
    const before = await engine.paramsSnapshot();
    await engine.forwardBackward(many, { kind: 'cross_entropy' });
    const gradients = await engine.gradientsSnapshot();
    await engine.optimStep(clipped);
    return { before, gradients, after: await engine.paramsSnapshot() };
  };
  const onnx = await run('onnx');
  expect(await run('onnx')).toEqual(onnx);
  const tfjs = await run('tfjs');
  const expected = byFormula(onnx.before, onnx.gradients, {}, 1);
  for (const name of Object.keys(onnx.before)) {
    expect(relativeError(onnx.after[name]!, expected[name]!), name).toBeLessThan(1e-5);
    expect(relativeError(tfjs.gradients[name]!, onnx.gradients[name]!), name).toBeLessThan(2e-5);
  }
});

test('an option that is undefined has its default', () => {
  const unset: object = {
    beta1: undefined,
    beta2: undefined,
    eps: undefined,
    maxGradNorm: undefined,
  };
  expect(adamwSettings({ learningRate: 0.01, ...unset })).toEqual(
    adamwSettings({ learningRate: 0.01 }),
  );
});
