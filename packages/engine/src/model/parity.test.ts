/**
 * Every family of models against PyTorch: folders that transformers wrote, with the logits, the loss and all gradients
 * that it found (datasets/models/parity.py). Logits within 1e-5, gradients within 1e-4 of a tensor's largest entry.
 */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { openExecutor } from '../executors/open.ts';
import { loadLocalEngine } from '../index.ts';
import { available } from '../testing/backends.ts';
import { relativeError } from '../testing/data.ts';
import { logitsOf } from '../testing/logits.ts';
import type { Datum, TokenIds } from '../types.ts';
import { readModel } from '../weights/checkpoint.ts';
import { readSafetensors } from '../weights/safetensors.ts';

const root = fileURLToPath(new URL('../../../../datasets/models/fixtures/parity', import.meta.url));
const cases = readdirSync(root);
const scratch = mkdtempSync(join(tmpdir(), 'cipo-parity-'));
afterAll(() => rmSync(scratch, { recursive: true }));

async function expectedOf(name: string) {
  const { tensors } = await readSafetensors(join(root, name, 'expected.safetensors'));
  const [batch, length] = tensors.tokens!.shape;
  return { tensors, batch: batch!, length: length!, tokens: Int32Array.from(tensors.tokens!.data) };
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
  test.each(cases)('%s: logits', async (name) => {
    const model = await readModel(join(root, name));
    const { tensors, length, tokens } = await expectedOf(name);
    const executor = await openExecutor({ ...where, threads: 1 });
    const logits = await logitsOf(executor, model, tokens, length);
    await executor.close();
    expect(relativeError(logits, tensors.logits!.data)).toBeLessThan(1e-5);
  });

  test.each(cases)('%s: loss and all gradients', async (name) => {
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

test.each(cases)('%s: what is written token by token is what scoring gives it', async (name) => {
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

test.each(cases)('%s: saved and loaded again, it is the same model', async (name) => {
  const folder = join(scratch, name);
  const engine = await loadLocalEngine(join(root, name), { threads: 1 });
  await engine.save(folder, { weightsOnly: true });
  await engine.close();
  expect(await readModel(folder)).toEqual(await readModel(join(root, name)));
});
