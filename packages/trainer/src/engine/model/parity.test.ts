/**
 * Every family of models against PyTorch: folders that transformers wrote, with the logits, the loss and all gradients
 * that it found (datasets/models/parity.py). Logits within 1e-5, gradients within 1e-4 of a tensor's largest entry.
 */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { Datum, TokenIds } from '../../types.ts';
import { contextLength, type ModelConfig } from '../config.ts';
import { openExecutor } from '../executors/open.ts';
import type { Program } from '../executors/types.ts';
import { loadLocalEngine } from '../index.ts';
import { f32, i32 } from '../ops.ts';
import { weightInputs } from '../programs.ts';
import { available } from '../testing/backends.ts';
import { relativeError, runProgram } from '../testing/data.ts';
import { readModel } from '../weights/checkpoint.ts';
import { readSafetensors } from '../weights/safetensors.ts';
import { groupedAttention } from './attention.ts';
import { llamaHidden, llamaLogits } from './llama.ts';
import { ropeTables } from './rope.ts';

const root = fileURLToPath(
  new URL('../../../../../datasets/models/fixtures/parity', import.meta.url),
);
const cases = readdirSync(root);
const scratch = mkdtempSync(join(tmpdir(), 'cipo-parity-'));
afterAll(() => rmSync(scratch, { recursive: true }));

async function expectedOf(name: string) {
  const { tensors } = await readSafetensors(join(root, name, 'expected.safetensors'));
  const [batch, length] = tensors.tokens!.shape;
  return { tensors, batch: batch!, length: length!, tokens: Int32Array.from(tensors.tokens!.data) };
}

/** All logits of B sequences of T tokens, by the programs' own parts. */
function logitsProgram(config: ModelConfig, b: number, t: number): Program {
  const tables = f32(contextLength(config), config.head_dim / 2);
  return {
    name: 'logits',
    inputs: {
      ...weightInputs(config),
      cos: tables,
      sin: tables,
      tokens: i32(b * t),
      positions: i32(b * t),
    },
    build: (ops, x) => {
      const layout = { groups: b, prefix: 0, branches: 1, length: t };
      const inputs = { positions: x.positions!, cos: x.cos!, sin: x.sin! };
      const attention = groupedAttention(ops, config, layout, inputs);
      const hidden = llamaHidden(ops, config, x, x.tokens!, attention);
      return { logits: llamaLogits(ops, config, x, hidden) };
    },
  };
}

function dataOf(tokens: TokenIds, weights: ArrayLike<number>, batch: number, length: number) {
  return Array.from({ length: batch }, (_, b): Datum => {
    const share = (t: number) => (t === 0 ? 0 : weights[t - 1]! / batch);
    return {
      tokens: tokens.slice(b * length, (b + 1) * length),
      weights: Float32Array.from({ length }, (__, t) => share(t)),
    };
  });
}

describe.each(available)('on $executor $backend, as PyTorch has it', (where) => {
  it.each(cases)('%s: logits', async (name) => {
    const { config, weights } = await readModel(join(root, name));
    const { tensors, batch, length, tokens } = await expectedOf(name);
    const executor = await openExecutor({ ...where, threads: 1 });
    const { cos, sin } = ropeTables(config, contextLength(config));
    const positions = Int32Array.from(tokens, (_, i) => i % length);
    const { logits } = await runProgram(
      executor,
      logitsProgram(config, batch, length),
      { ...weights, cos, sin, tokens, positions },
      { logits: f32(batch * length, config.vocab_size) },
    );
    await executor.close();
    expect(relativeError(logits!, tensors.logits!.data)).toBeLessThan(1e-5);
  });

  it.each(cases)('%s: loss and all gradients', async (name) => {
    const { tensors, batch, length, tokens } = await expectedOf(name);
    const engine = await loadLocalEngine(join(root, name), { ...where, threads: 1 });
    const data = dataOf(tokens, tensors.weights!.data, batch, length);
    const { loss } = await engine.forwardBackward(data, { kind: 'cross_entropy' });
    const gradients = await engine.gradientsSnapshot();
    await engine.close();
    expect(relativeError([loss], tensors.loss!.data)).toBeLessThan(1e-6);
    const wanted = Object.keys(tensors).filter((key) => key.startsWith('grad.'));
    expect(wanted.map((key) => key.slice(5)).sort()).toEqual(Object.keys(gradients).sort());
    for (const key of wanted)
      expect(relativeError(gradients[key.slice(5)]!, tensors[key]!.data), key).toBeLessThan(1e-4);
  });
});

it.each(cases)('%s: what is written token by token is what scoring gives it', async (name) => {
  const engine = await loadLocalEngine(join(root, name), { threads: 1 });
  const { tokens } = await expectedOf(name);
  const prompts = [tokens.slice(0, 20), tokens.slice(3, 10)];
  const options = { groupSize: 2, maxTokens: 30, temperature: 1, seed: 5 };
  const samples = (await engine.sample(prompts, options)).flatMap((group, b) =>
    group.map((sample) => ({ prompt: prompts[b]!, ...sample })),
  );
  const scored = await engine.logprobs(samples.map((s) => Int32Array.of(...s.prompt, ...s.tokens)));
  await engine.close();
  for (const [i, { prompt, logprobs }] of samples.entries())
    expect(
      Math.max(...logprobs.map((x, t) => Math.abs(x - scored[i]![prompt.length + t]!))),
    ).toBeLessThan(1e-4);
});

it.each(cases)('%s: saved and loaded again, it is the same model', async (name) => {
  const folder = join(scratch, name);
  const engine = await loadLocalEngine(join(root, name), { threads: 1 });
  await engine.save(folder, { weightsOnly: true });
  await engine.close();
  expect(await readModel(folder)).toEqual(await readModel(join(root, name)));
});
