/** A real model: llama2.c's stories260K must tell the story that its author documents. Skipped where it is not at hand. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createLocalEngine } from '../index.ts';
import type { NamedArrays } from '../weights/store.ts';
import { parseModelConfig } from './config.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const folder = join(process.env.CIPO_SHARED ?? join(root, '..', 'shared'), 'models', 'stories260k');
const isThere = existsSync(join(folder, 'stories260K.bin'));

const story =
  'Once upon a time, there was a little girl named Lily. She loved to play outside in the park. ' +
  'One day, she saw a big, red ball. She wanted to play with it, but it was too high.';

const config = parseModelConfig({
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 5,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  vocab_size: 512,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  eos_token_id: 2,
});
const headSize = 8;

/** llama2.c rotates neighboring pairs; Hugging Face's layout has the first of all pairs, then the second. */
function toHalves(matrix: Float32Array, columns: number): Float32Array {
  const out = new Float32Array(matrix.length);
  for (let row = 0; row < matrix.length / columns; row++) {
    const within = row % headSize;
    const half = headSize / 2;
    const from = row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
    out.set(matrix.subarray(from * columns, (from + 1) * columns), row * columns);
  }
  return out;
}

/** The file's order: a kind of tensor for all layers, then the next kind. */
function readWeights(bytes: Buffer): NamedArrays {
  const floats = new Float32Array(new Uint8Array(bytes.subarray(28)).buffer);
  let at = 0;
  const take = (size: number) => {
    at += size;
    return floats.slice(at - size, at);
  };
  const weights: NamedArrays = { 'model.embed_tokens.weight': take(512 * 64) };
  const each = (name: string, size: number, columns?: number) => {
    for (let layer = 0; layer < config.num_hidden_layers; layer++) {
      const data = take(size);
      weights[`model.layers.${layer}.${name}.weight`] = columns ? toHalves(data, columns) : data;
    }
  };
  each('input_layernorm', 64);
  each('self_attn.q_proj', 64 * 64, 64);
  each('self_attn.k_proj', 32 * 64, 64);
  each('self_attn.v_proj', 32 * 64);
  each('self_attn.o_proj', 64 * 64);
  each('post_attention_layernorm', 64);
  each('mlp.gate_proj', 172 * 64);
  each('mlp.down_proj', 64 * 172);
  each('mlp.up_proj', 172 * 64);
  weights['model.norm.weight'] = take(64);
  return weights;
}

/** Token texts: a float score, a length and bytes each, after the longest length. */
function readTokens(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 4; at < bytes.length; ) {
    const length = bytes.readInt32LE(at + 4);
    texts.push(bytes.toString('utf8', at + 8, at + 8 + length));
    at += 8 + length;
  }
  return texts;
}

test.skipIf(!isThere)('stories260K generates its known story word for word', async () => {
  const weights = readWeights(await readFile(join(folder, 'stories260K.bin')));
  const texts = readTokens(await readFile(join(folder, 'tok512.bin')));
  const engine = await createLocalEngine({ config, seed: 1, weights, threads: 1 });
  const greedy = { groupSize: 1, maxTokens: 120, temperature: 0, seed: 1 };
  const sample = (await engine.sample([Int32Array.of(1)], greedy))[0]![0]!;
  await engine.close();
  const told = Array.from(sample.tokens, (id) => texts[id])
    .join('')
    .trimStart();
  expect(told.slice(0, story.length)).toBe(story);
});
