import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLocalEngine, type EngineOptions, type LocalEngine } from './index.ts';
import { parseModelConfig } from './model/config.ts';
import { quick } from './testing/backends.ts';
import { integers, livelyWeights, someData, tinyConfig } from './testing/data.ts';
import type { Datum, Sample, SamplingOptions } from './types.ts';

const weights = livelyWeights(tinyConfig, 7);
const data = someData(tinyConfig, 3);
const prompts = [3, 7, 7, 18, 1].map((length, i) => integers(i, length, 2, 13));
const sampling: SamplingOptions = { groupSize: 4, maxTokens: 20, temperature: 1, seed: 5 };
const ppo = { kind: 'ppo', clipLow: 0.2, clipHigh: 0.3, beta: 0.1 } as const;
const opened: LocalEngine[] = [];

async function open(options: Partial<EngineOptions> = {}): Promise<LocalEngine> {
  const engine = await createLocalEngine({
    config: tinyConfig,
    seed: 1,
    weights,
    threads: 1,
    ...options,
  });
  opened.push(engine);
  return engine;
}
afterAll(() => Promise.all(opened.map((engine) => engine.close())));

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cipo-engine-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe.each(quick)('$executor $backend: sampling', (where) => {
  let engine: LocalEngine;
  beforeAll(async () => {
    engine = await open(where);
  });

  test.each([1, 0.6])(
    'sampled logprobs equal those of the full forward pass at temperature %d',
    async (temperature) => {
      const samples = await engine.sample(prompts, { ...sampling, temperature });
      const sequences = samples.flatMap((group, b) =>
        group.map(({ tokens }) => Int32Array.of(...prompts[b]!, ...tokens)),
      );
      const scored = await engine.logprobs(sequences, 'policy', { temperature });
      for (const [i, { tokens, logprobs }] of samples.flat().entries())
        for (const t of tokens.keys()) {
          const place = sequences[i]!.length - tokens.length + t;
          expect(Math.abs(scored[i]![place]! - logprobs[t]!)).toBeLessThan(1e-4);
        }
    },
  );

  test('a sequence does not depend on what it is batched with', async () => {
    const together = await engine.sample(prompts, sampling);
    const few = await open({ ...where, maxSequences: 4 });
    expectSame(await few.sample(prompts, sampling), together);
    const [first] = await engine.sample(prompts.slice(0, 1), { ...sampling, groupSize: 2 });
    expectSame([first!], [together[0]!.slice(0, 2)]);
  });

  test('a completion ends at the end token, which is included, or at the maximum length', async () => {
    const samples = (await engine.sample(prompts, sampling)).flat();
    expect(new Set(samples.map(({ stop }) => stop))).toEqual(new Set(['end', 'length']));
    for (const { tokens, stop } of samples) {
      expect(tokens.indexOf(1)).toBe(stop === 'end' ? tokens.length - 1 : -1);
      if (stop === 'length') expect(tokens).toHaveLength(20);
    }
  });

  test('temperature 0 samples the most likely token with logprob 0', async () => {
    const greedy = { ...sampling, groupSize: 1, temperature: 0 };
    const sample = (await engine.sample([prompts[1]!], greedy))[0]![0]!;
    const context = Int32Array.of(...prompts[1]!, ...sample.tokens);
    const alternatives = Array.from({ length: 13 }, (_, token) =>
      Int32Array.of(...prompts[1]!, token),
    );
    const scores = (await engine.logprobs(alternatives)).map((logp) => logp.at(-1)!);
    expect(scores.indexOf(Math.max(...scores))).toBe(context[prompts[1]!.length]);
    expect([...sample.logprobs].every((logp) => logp === 0)).toBe(true);
  });

  test('another seed gives other sequences', async () => {
    const [a, b] = [5, 6].map((seed) => engine.sample(prompts, { ...sampling, seed }));
    expect(await a).not.toEqual(await b);
  });
});

/** The same tokens, and logprobs that differ by rounding at most. */
function expectSame(found: readonly Sample[][], expected: readonly Sample[][]): void {
  const tokens = (samples: readonly Sample[][]) =>
    samples.map((group) => group.map((s) => s.tokens));
  expect(tokens(found)).toEqual(tokens(expected));
  for (const [i, { logprobs }] of found.flat().entries())
    for (const [t, logp] of logprobs.entries())
      expect(Math.abs(logp - expected.flat()[i]!.logprobs[t]!)).toBeLessThan(1e-5);
}

test('a sequence of a larger policy does not depend on what it is batched with', async () => {
  const config = {
    ...tinyConfig,
    hidden_size: 96,
    num_attention_heads: 6,
    head_dim: 16,
    num_key_value_heads: 3,
    intermediate_size: 256,
  };
  const size = { config, weights: livelyWeights(parseModelConfig(config), 3), threads: 2 };
  const [many, few] = [await open(size), await open({ ...size, maxSequences: 8 })];
  const some = Array.from({ length: 12 }, (_, i) => integers(i, 5 + 2 * i, 2, 13));
  const options = { ...sampling, groupSize: 4, maxTokens: 30 };
  expectSame(await few.sample(some, options), await many.sample(some, options));
});

/** Two steps and a sample: everything a run depends on. */
async function run(engine: LocalEngine, what: readonly Datum[] = data) {
  const metrics = await engine.forwardBackward(what, ppo);
  const { gradNorm } = await engine.optimStep({
    learningRate: 0.01,
    weightDecay: 0.1,
    maxGradNorm: 1,
  });
  const samples = await engine.sample(prompts, sampling);
  return { metrics, gradNorm, samples, weights: await engine.paramsSnapshot() };
}

describe.each(quick)('$executor $backend: state', (where) => {
  test('the same seed gives the same run bit for bit with two threads', async () => {
    const runs = [];
    for (let i = 0; i < 2; i++) {
      const engine = await open({ ...where, threads: 2 });
      runs.push([await run(engine), await run(engine)]);
    }
    expect(runs[1]).toEqual(runs[0]);
  });

  test('initial weights depend on the seed', async () => {
    const make = async (seed: number) => {
      const engine = await createLocalEngine({ config: tinyConfig, seed, ...where });
      opened.push(engine);
      return engine.paramsSnapshot();
    };
    expect(await make(3)).toEqual(await make(3));
    expect(await make(3)).not.toEqual(await make(4));
  });

  test('a saved and loaded run continues bit for bit', async () => {
    const engine = await open(where);
    await engine.freezeReference();
    await run(engine);
    await engine.save(directory);
    const onward = [await run(engine), await engine.logprobs(prompts, 'reference')];
    const resumed = await open(where);
    await resumed.load(directory);
    expect([await run(resumed), await resumed.logprobs(prompts, 'reference')]).toEqual(onward);
  });

  test('loading weights only resets the optimizer', async () => {
    const engine = await open(where);
    await run(engine);
    await engine.save(join(directory, 'bare'), { weightsOnly: true });
    const other = await open(where);
    await run(other);
    await other.load(join(directory, 'bare'));
    expect(other.steps).toBe(0);
    expect(await other.paramsSnapshot()).toEqual(await engine.paramsSnapshot());
  });

  test('loading a folder without a reference keeps the frozen one, so a resumed run may enable its KL term', async () => {
    const engine = await open(where);
    const before = await engine.logprobs(prompts);
    const folder = join(directory, 'no reference');
    await engine.forwardBackward(data, { kind: 'cross_entropy' });
    await engine.optimStep({ learningRate: 0.01 });
    await engine.save(folder);
    const other = await open(where);
    await other.freezeReference();
    await other.load(folder);
    expect(await other.logprobs(prompts, 'reference')).toEqual(before);
    expect(await other.logprobs(prompts)).not.toEqual(before);
  });

  test('the reference does not change when the policy does', async () => {
    const engine = await open(where);
    const before = await engine.logprobs(prompts);
    await engine.freezeReference();
    await run(engine);
    expect(await engine.logprobs(prompts, 'reference')).toEqual(before);
    expect(await engine.logprobs(prompts)).not.toEqual(before);
  });

  test('training on one batch lowers its cross-entropy', async () => {
    const engine = await open(where);
    const losses = [];
    for (let i = 0; i < 20; i++) {
      losses.push((await engine.forwardBackward(data, { kind: 'cross_entropy' })).loss);
      await engine.optimStep({ learningRate: 0.01, maxGradNorm: 1 });
    }
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 4);
  });

  test('gradients of several calls add up to the gradient of one call', async () => {
    const engine = await open(where);
    const norm = async (parts: readonly (readonly Datum[])[]) => {
      for (const part of parts) await engine.forwardBackward(part, ppo);
      return (await engine.optimStep({ learningRate: 0 })).gradNorm;
    };
    const whole = await norm([data]);
    expect(await norm([data.slice(0, 3), data.slice(3)])).toBeCloseTo(whole, 4);
  });

  test('metrics count only the tokens with weight', async () => {
    const engine = await open(where);
    const trained = data.filter(({ weights: w }) => w.some((x) => x > 0));
    const all = await engine.forwardBackward(data, ppo);
    expect(await engine.forwardBackward(trained, ppo)).toEqual(all);
    expect(all.tokens).toBe(
      trained.flatMap(({ weights: w }) => [...w]).filter((x) => x > 0).length,
    );
  });
});

describe('refused calls', () => {
  test('a token outside the vocabulary, an empty prompt and a sequence that is too long are refused', async () => {
    const engine = await open();
    await expect(engine.logprobs([Int32Array.of(2, 13)])).rejects.toThrow(
      /token 13.*vocabulary of 13/,
    );
    await expect(engine.sample([new Int32Array()], sampling)).rejects.toThrow(/prompt 0 is empty/);
    const long = { ...sampling, maxTokens: 62 };
    await expect(engine.sample([prompts[0]!], long)).rejects.toThrow(
      /at most 64 tokens, got 3 and 62 to generate/,
    );
  });

  test('an invalid sampling option is refused by name', async () => {
    const engine = await open();
    for (const wrong of [
      { groupSize: 0 },
      { maxTokens: 1.5 },
      { temperature: -1 },
      { temperature: 1e-40 },
      { topP: 0 },
      { topK: Number.NaN },
    ])
      await expect(engine.sample(prompts, { ...sampling, ...wrong })).rejects.toThrow(
        new RegExp(`option ${Object.keys(wrong)[0]}: expected`),
      );
  });

  test('a scoring temperature whose inverse overflows float32 is refused', async () => {
    const engine = await open();
    await expect(engine.logprobs(prompts, 'policy', { temperature: 1e-40 })).rejects.toThrow(
      'temperature: expected a number of at least 1e-30, got 1e-40',
    );
  });

  test('a datum that lacks what the loss needs is refused', async () => {
    const engine = await open();
    const { refLogprobs: _, ...bare } = data[0]!;
    await expect(engine.forwardBackward([bare], ppo)).rejects.toThrow(/datum 0: refLogprobs/);
  });

  test('a weighted entry that is not finite and an invalid loss option are refused', async () => {
    const engine = await open();
    const [datum] = data;
    const t = datum!.weights.findIndex((w) => w !== 0);
    for (const name of ['weights', 'advantages', 'logprobs', 'refLogprobs'] as const)
      for (const wrong of [Number.NaN, Infinity, -Infinity]) {
        const bad = { ...datum!, [name]: datum![name]!.with(t, wrong) };
        await expect(engine.forwardBackward([data[1]!, bad], ppo)).rejects.toThrow(
          `datum 1: ${name}[${t}]: expected a finite number, got ${wrong}`,
        );
      }
    // Without weight it is not looked at.
    const unread = { ...datum!, advantages: datum!.advantages!.with(0, Number.NaN) };
    expect(await engine.forwardBackward([unread], ppo)).toEqual(
      await engine.forwardBackward([datum!], ppo),
    );
    for (const wrong of [{ clipLow: Number.NaN }, { clipHigh: -1 }, { beta: Infinity }])
      await expect(engine.forwardBackward(data, { ...ppo, ...wrong })).rejects.toThrow(
        new RegExp(`loss option ${Object.keys(wrong)[0]}: expected a number of at least 0, got `),
      );
  });

  test('an invalid AdamW option is refused before weights or gradient change', async () => {
    const engine = await open();
    await engine.forwardBackward(data, ppo);
    const before = [await engine.paramsSnapshot(), await engine.gradientsSnapshot()];
    for (const wrong of [
      { learningRate: Number.NaN },
      { learningRate: undefined as unknown as number },
      { learningRate: Infinity },
      { learningRate: 1e39 },
      { learningRate: '0.1' as unknown as number },
      { beta1: 1 },
      { beta1: Number.NaN },
      { beta2: 1 },
      { beta2: -0.1 },
      { eps: 0 },
      { eps: Number.NaN },
      { weightDecay: Number.NaN },
      { maxGradNorm: Number.NaN },
    ])
      await expect(engine.optimStep({ learningRate: 0.01, ...wrong })).rejects.toThrow(
        new RegExp(`AdamW option ${Object.keys(wrong)[0]}: expected a number .*, got `),
      );
    expect([await engine.paramsSnapshot(), await engine.gradientsSnapshot()]).toEqual(before);
    expect(engine.steps).toBe(0);
  });

  test('an invalid engine limit is refused by name', async () => {
    for (const wrong of [
      { maxSequences: 2.5 },
      { maxSequences: Number.NaN },
      { maxSequences: 0 },
      { maxSequences: -3 },
      { microBatchRows: Number.NaN },
      { microBatchRows: 0 },
      { cacheBytes: Number.NaN },
      { cacheBytes: 0 },
      { logitsBytes: -1 },
      { scratchBytes: 0 },
    ])
      await expect(open(wrong)).rejects.toThrow(
        new RegExp(`engine option ${Object.keys(wrong)[0]}: expected a .*, got `),
      );
  });

  test('scoring with a reference that was never frozen is refused', async () => {
    const engine = await open();
    await expect(engine.logprobs(prompts, 'reference')).rejects.toThrow(/freezeReference/);
  });

  test('a gradient that is not finite leaves the weights unchanged', async () => {
    const engine = await open();
    const before = await engine.paramsSnapshot();
    const bad = { ...data[0]!, weights: data[0]!.weights.map((w) => w * 1e38) };
    await engine.forwardBackward(new Array(16).fill(bad), ppo);
    await expect(engine.optimStep({ learningRate: 1 })).rejects.toThrow(/not taken/);
    expect(await engine.paramsSnapshot()).toEqual(before);
  });
});
