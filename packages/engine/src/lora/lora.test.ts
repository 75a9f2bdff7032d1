/**
 * Adapters against PEFT: folders that it wrote, with the logits, the loss and all gradients that PyTorch found
 * (datasets/models/adapters.py), and what an adapter does to an engine.
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { createLocalEngine, type LocalEngine, loadLocalEngine } from '../index.ts';
import { paramSpecs } from '../model/config.ts';
import { ropeTables } from '../model/rope.ts';
import { sizeOf, type TensorSpec } from '../ops.ts';
import { plain, ReferenceOps } from '../reference/reference.ts';
import { normals } from '../sampling/random.ts';
import { mapTensors } from '../tensors.ts';
import { quick } from '../testing/backends.ts';
import { integers, livelyWeights, relativeError, someData, tinyConfig } from '../testing/data.ts';
import { microBatches } from '../training/batching.ts';
import { gradientName, trainProgram } from '../training/programs.ts';
import type { Datum } from '../types.ts';
import { readSafetensors } from '../weights/safetensors.ts';
import { adapterSpecs, type LoraOptions, loraModules } from './options.ts';
import { readAdapterConfig } from './peft.ts';

const root = fileURLToPath(
  new URL('../../../../datasets/models/fixtures/adapters', import.meta.url),
);
const cases = readdirSync(root);
const scratch = mkdtempSync(join(tmpdir(), 'cipo-lora-'));
afterAll(() => rmSync(scratch, { recursive: true }));
/** What PEFT puts before names, in files and in its models. */
const prefix = 'base_model.model.';

async function openCase(name: string, where: object): Promise<LocalEngine> {
  const folder = join(root, name);
  const { base, options } = await readAdapterConfig(folder);
  const lora = { ...options, base };
  const engine = await loadLocalEngine(join(folder, base), { ...where, threads: 1, lora });
  await engine.load(folder);
  return engine;
}

async function expectedOf(name: string) {
  const { tensors } = await readSafetensors(join(root, name, 'expected.safetensors'));
  const [batch, length] = tensors.tokens!.shape;
  const sequences = Array.from({ length: batch! }, (_, b) =>
    Int32Array.from(tensors.tokens!.data.slice(b * length!, (b + 1) * length!)),
  );
  const data = sequences.map((tokens): Datum => {
    const weights = Float32Array.from(tokens, (_, t) =>
      t === 0 ? 0 : tensors.weights!.data[t - 1]! / batch!,
    );
    return { tokens, weights };
  });
  return { tensors, sequences, data };
}

/** log softmax of logits [B, T, V] at the tokens that follow. */
function logprobsOf(logits: Float32Array, sequences: readonly Int32Array[]): number[][] {
  const vocabulary = logits.length / (sequences.length * sequences[0]!.length);
  return sequences.map((tokens, b) =>
    Array.from(tokens, (_, t) => {
      if (t === 0) return 0;
      const start = (b * tokens.length + t - 1) * vocabulary;
      const row = logits.subarray(start, start + vocabulary);
      return row[tokens[t]!]! - Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
    }),
  );
}

describe.each(quick)('on $executor $backend, as PEFT has it', (where) => {
  test.each(cases)('%s has the logprobs, loss and gradients of PEFT', async (name) => {
    const { tensors, sequences, data } = await expectedOf(name);
    const engine = await openCase(name, where);
    const scored = await engine.logprobs(sequences);
    const { loss } = await engine.forwardBackward(data, { kind: 'cross_entropy' });
    const gradients = await engine.gradientsSnapshot();
    await engine.close();
    for (const [b, expected] of logprobsOf(tensors.logits!.data, sequences).entries())
      expect(relativeError(scored[b]!, expected)).toBeLessThan(1e-5);
    expect(relativeError([loss], tensors.loss!.data)).toBeLessThan(1e-6);
    const wanted = Object.keys(tensors).filter((key) => key.startsWith('grad.'));
    const names = wanted.map((key) => key.slice(`grad.${prefix}`.length));
    expect(names.sort()).toEqual(Object.keys(gradients).sort());
    for (const each of names)
      expect(
        relativeError(gradients[each]!, tensors[`grad.${prefix}${each}`]!.data),
        each,
      ).toBeLessThan(1e-4);
  });
});

test.each(cases)('%s is the same adapter after saving', async (name) => {
  const engine = await openCase(name, {});
  const folder = join(scratch, name);
  await engine.save(folder, { weightsOnly: true });
  await engine.close();
  expect(await readAdapterConfig(folder)).toEqual(await readAdapterConfig(join(root, name)));
  const file = 'adapter_model.safetensors';
  const [saved, given] = [
    await readSafetensors(join(folder, file)),
    await readSafetensors(join(root, name, file)),
  ];
  expect(saved.tensors).toEqual(given.tensors);
});

test.each(['all-linear', '.*_proj'])(
  'the target %s with a list of layers is saved as a list of modules, because PEFT refuses layers beside a string',
  async (targetModules) => {
    const engine = await open({}, { ...lora, targetModules, layers: [1] });
    const folder = join(scratch, 'text and layers');
    await engine.save(folder, { weightsOnly: true });
    const { options } = await readAdapterConfig(folder);
    const expected = loraModules(tinyConfig, { ...lora, targetModules, layers: [1] });
    expect(options.layers).toBeUndefined();
    expect(options.targetModules).toEqual(expected.map(({ name }) => name));
    expect(loraModules(tinyConfig, options)).toEqual(expected);
    await engine.close();
  },
);

const weights = livelyWeights(tinyConfig, 7);
const data = someData(tinyConfig, 3);
const prompts = [3, 7, 7].map((length, i) => integers(i, length, 2, 13));
const ppo = { kind: 'ppo', clipLow: 0.2, clipHigh: 0.3, beta: 0.1 } as const;
const sampling = { groupSize: 4, maxTokens: 12, temperature: 1, seed: 5 };
const lora: LoraOptions = { rank: 3, alpha: 6, targetModules: 'all-linear' };

function open(where: object = {}, options: LoraOptions = lora) {
  return createLocalEngine({
    config: tinyConfig,
    seed: 1,
    weights,
    threads: 1,
    lora: options,
    ...where,
  });
}

async function run(engine: LocalEngine) {
  const metrics = await engine.forwardBackward(data, ppo);
  const { gradNorm } = await engine.optimStep({ learningRate: 0.05, maxGradNorm: 1 });
  const samples = await engine.sample(prompts, sampling);
  return { metrics, gradNorm, samples, weights: await engine.paramsSnapshot() };
}

describe.each(quick)('on $executor $backend, training', (where) => {
  test('training changes the adapters and no bit of the model, and the base is the reference', async () => {
    const engine = await open(where);
    const before = await engine.logprobs(prompts);
    await engine.freezeReference();
    const first = await engine.paramsSnapshot();
    await run(engine);
    expect(await engine.logprobs(prompts, 'reference')).toEqual(before);
    expect(await engine.logprobs(prompts)).not.toEqual(before);
    const moved = await engine.paramsSnapshot();
    // B is zero at first: then A has no gradient yet, and one step moves B alone.
    expect(
      Object.keys(moved)
        .filter((name) => !equal(moved[name]!, first[name]!))
        .sort(),
    ).toEqual(
      Object.keys(moved)
        .filter((name) => name.includes('lora_B'))
        .sort(),
    );
    await engine.close();
  });

  test('sampling uses W + scale B A with the logprobs of training', async () => {
    const engine = await open(where);
    for (let i = 0; i < 3; i++) await run(engine);
    const merged = await engine.mergedSnapshot();
    const adapters = await engine.paramsSnapshot();
    for (const { name, outputs, inputs, rank, scale } of loraModules(tinyConfig, lora)) {
      const [a, b] = ['A', 'B'].map((x) => adapters[`${name}.lora_${x}.weight`]!);
      const expected = Array.from({ length: outputs * inputs }, (_, at) => {
        const [row, column] = [Math.floor(at / inputs), at % inputs];
        const sum = Array.from(
          { length: rank },
          (__, r) => b![row * rank + r]! * a![r * inputs + column]!,
        );
        return weights[`${name}.weight`]![at]! + scale * sum.reduce((x, y) => x + y);
      });
      expect(relativeError(merged[`${name}.weight`]!, expected), name).toBeLessThan(1e-6);
    }
    const samples = (await engine.sample(prompts, sampling)).flatMap((group, b) =>
      group.map((sample) => ({ prompt: prompts[b]!, ...sample })),
    );
    const seen = samples.map(({ prompt, tokens, logprobs }): Datum => {
      const own = (x: ArrayLike<number>) =>
        Float32Array.of(...prompt.map(() => 0), ...Array.from(x));
      const ones = own(tokens.map(() => 1));
      return {
        tokens: Int32Array.of(...prompt, ...tokens),
        weights: ones,
        advantages: ones,
        logprobs: own(logprobs),
      };
    });
    const { logprobGap } = await engine.forwardBackward(seen, { ...ppo, beta: 0 });
    expect(logprobGap).toBeLessThan(1e-4);
    await engine.close();
  });

  test('a saved and loaded adapter continues bit for bit', async () => {
    const engine = await open(where);
    for (let i = 0; i < 2; i++) await run(engine);
    const folder = join(scratch, `${where.executor}-${where.backend}`);
    await engine.save(folder);
    const onward = await run(engine);
    const resumed = await open({ ...where, lora: { ...lora, seed: 99 } });
    await resumed.load(folder);
    expect(resumed.steps).toBe(2);
    expect(await run(resumed)).toEqual(onward);
    await Promise.all([engine.close(), resumed.close()]);
  });

  test('chunked logits and recomputed layers give the same gradient', async () => {
    const memory = { logitsBytes: 64 * tinyConfig.vocab_size, recompute: true };
    const [plainly, frugal] = [await open(where), await open({ ...where, memory })];
    for (const engine of [plainly, frugal]) await run(engine);
    for (const engine of [plainly, frugal]) await engine.forwardBackward(data, ppo);
    const [a, b] = [await plainly.gradientsSnapshot(), await frugal.gradientsSnapshot()];
    for (const name of Object.keys(a))
      expect(relativeError(b[name]!, a[name]!), name).toBeLessThan(1e-4);
    await Promise.all([plainly.close(), frugal.close()]);
  });
});

test('the gradient of adapters, also on the output matrix, equals finite differences', () => {
  const options = { ...lora, targetModules: ['lm_head', 'q_proj', 'down_proj'] };
  const adapters = loraModules(tinyConfig, options);
  const settings = { adapters, logitsBytes: 64 * tinyConfig.vocab_size, recompute: true };
  const [micro] = microBatches(data, { policyTerms: false, reference: false }, 500);
  const ops = new ReferenceOps();
  const program = trainProgram(tinyConfig, micro!.layout, 'cross_entropy', 64, settings);
  const given: Record<string, ArrayLike<number>> = {
    ...weights,
    ...ropeTables(tinyConfig, 64),
    ...micro!.arrays,
    sharpness: [1],
  };
  const names = adapterSpecs(adapters).map(({ name }) => name);
  const order = Object.keys(program.inputs);
  const x = mapTensors(program.inputs, ({ shape }: TensorSpec, name) => {
    const size = sizeOf(shape);
    const seed = order.indexOf(name);
    const values = names.includes(name) ? normals(seed, size).map((n) => 0.3 * n) : given[name];
    return plain(values ?? new Float64Array(size), shape);
  });
  const found = program.build(ops, x);
  for (const [i, name] of names.entries()) {
    const { shape, data: values } = x[name]!;
    const direction = normals(100 + i, values.length);
    const at = (step: number) => {
      const moved = { shape, data: values.map((v, j) => v + step * direction[j]!) };
      return program.build(ops, { ...x, [name]: moved }).loss!.data[0]!;
    };
    const slope = (at(1e-5) - at(-1e-5)) / 2e-5;
    const gradient = found[gradientName(name)]!.data;
    const along = gradient.reduce((sum, g, j) => sum + g * direction[j]!, 0);
    expect(Math.abs(along - slope), name).toBeLessThan(1e-5 * Math.abs(slope) + 1e-8);
  }
});

function equal(a: Float32Array, b: Float32Array) {
  return a.every((x, i) => x === b[i]);
}

describe('which layers have adapters', () => {
  const names = (targetModules: LoraOptions['targetModules'], more: Partial<LoraOptions> = {}) =>
    loraModules(tinyConfig, { ...lora, targetModules, ...more }).map(({ name }) => name);

  test('all-linear selects every matrix except embeddings and output', () => {
    const matrices = paramSpecs(tinyConfig).filter(({ shape }) => shape.length === 2);
    const expected = matrices.map(({ name }) => name.replace('.weight', ''));
    expect(names('all-linear')).toEqual(expected.slice(1, -1));
  });

  test('targets are ends of names, whole names or regular expressions, optionally in some layers', () => {
    expect(names(['v_proj'])).toHaveLength(2);
    expect(names(['model.layers.1.mlp.up_proj'])).toEqual(['model.layers.1.mlp.up_proj']);
    expect(names('.*layers\\.0.*_proj')).toHaveLength(7);
    expect(names(['q_proj'], { layers: [1] })).toEqual(['model.layers.1.self_attn.q_proj']);
  });

  test('rslora divides by the square root of the rank', () => {
    const scales = [false, true].map(
      (rslora) =>
        loraModules(tinyConfig, { rank: 4, alpha: 8, targetModules: ['q_proj'], rslora })[0]!.scale,
    );
    expect(scales).toEqual([2, 4]);
  });

  test('a target that is not a linear layer is refused', () => {
    expect(() => names(['qproj'])).toThrow(/"qproj" matches no linear layer.*q_proj/);
    expect(() => names(['embed_tokens'])).toThrow(/"embed_tokens" matches no linear layer/);
    expect(() => names('nothing')).toThrow(/match no linear layer/);
  });

  test('an invalid rank, alpha or pattern is refused by name', () => {
    const wrong = (options: Partial<LoraOptions>) => () => names(['q_proj'], options);
    for (const rank of [0, -3, 1.5, 1e9, Number.NaN]) {
      expect(wrong({ rank })).toThrow(
        new RegExp(`^lora rank: expected a whole number from 1 to .*, got ${rank}$`),
      );
      expect(wrong({ rankPattern: { k_proj: rank } })).toThrow(
        'lora rankPattern["k_proj"]: expected a whole number from 1 to',
      );
    }
    for (const alpha of [Number.NaN, Infinity, undefined as unknown as number]) {
      expect(wrong({ alpha })).toThrow(
        new RegExp(`^lora alpha: expected a number.*, got ${alpha}$`),
      );
      expect(wrong({ alphaPattern: { k_proj: alpha } })).toThrow(
        'lora alphaPattern["k_proj"]: expected',
      );
    }
    for (const text of ['(((', '(?i)q_proj', '(?P<a>q)_proj']) {
      const words = `lora pattern ${JSON.stringify(text)}: expected a regular expression`;
      expect(() => names(text)).toThrow(words);
      expect(wrong({ rankPattern: { [text]: 2 } })).toThrow(words);
    }
  });
});

describe('refused adapters', () => {
  async function failing(
    change: (config: Record<string, unknown>) => void,
    options = lora,
  ): Promise<unknown> {
    const engine = await open({}, options);
    const folder = join(scratch, 'broken');
    await engine.save(folder, { weightsOnly: true });
    const path = join(folder, 'adapter_config.json');
    const config = JSON.parse(readFileSync(path, 'utf8'));
    change(config);
    writeFileSync(path, JSON.stringify(config));
    const other = await open();
    try {
      await readAdapterConfig(folder);
      return await other.load(folder).then(() => 'loaded', String);
    } catch (error) {
      return String(error);
    } finally {
      await Promise.all([engine.close(), other.close()]);
    }
  }

  test('an adapter with another rank or other layers than the engine is refused', async () => {
    expect(await failing((c) => Object.assign(c, { use_dora: true }))).toMatch(
      /adapter_config.json: use_dora is true, which is not supported/,
    );
    expect(await failing((c) => Object.assign(c, { peft_type: 'IA3' }))).toMatch(/peft_type/);
    expect(await failing((c) => Object.assign(c, { bias: 'all' }))).toMatch(/bias/);
    expect(await failing(() => {}, { ...lora, rank: 2 })).toMatch(
      /adapter_model.safetensors: tensor ".*lora_A.weight" has shape \[2,16\], expected \[3,16\]/,
    );
    expect(await failing(() => {}, { ...lora, targetModules: ['q_proj'] })).toMatch(/is missing/);
    expect(await failing(() => {})).toBe('loaded');
  });

  test.each([
    [{ r: 1e9 }, 'at r'],
    [{ lora_alpha: null }, 'at lora_alpha'],
    [{ rank_pattern: { k_proj: 0 } }, 'at rank_pattern.k_proj'],
    [{ rank_pattern: { k_proj: 1.5 } }, 'at rank_pattern.k_proj'],
    [{ rank_pattern: { '(((': 2 } }, 'at rank_pattern["((("]'],
    [{ alpha_pattern: { '(?i)q_proj': 2 } }, 'at alpha_pattern["(?i)q_proj"]'],
    [{ target_modules: '(?P<a>q)_proj' }, 'at target_modules'],
    [{ use_bdlora: { target_modules_bd_a: ['q_proj'] } }, 'use_bdlora is'],
    [{ monteclora_config: {} }, 'monteclora_config is'],
  ])('%j is refused with file and key', async (change, words) => {
    const message = await failing((config) => Object.assign(config, change));
    expect(message).toContain('adapter_config.json: ');
    expect(message).toContain(words);
  });

  test('an engine without adapters refuses an adapter', async () => {
    const [engine, full] = [
      await open(),
      await createLocalEngine({ config: tinyConfig, seed: 1, weights }),
    ];
    await engine.save(join(scratch, 'one'));
    await expect(full.load(join(scratch, 'one'))).rejects.toThrow(/has an adapter/);
    await Promise.all([engine.close(), full.close()]);
  });
});
