/**
 * The two programs of sampling, written over {@link Ops}: `read` reads prompts or chunks of them, `write` generates one
 * token per slot. Both return what a token is sampled from: logits for a greedy choice, else probabilities at a
 * temperature, so that the executor computes the exponentials of all slots at once.
 */

import type { Program } from '../executors/types.ts';
import {
  cacheNames,
  type ReadName,
  type ReadShape,
  readingAttention,
  type WriteName,
  type WriteShape,
  writingAttention,
} from '../model/cached.ts';
import { headSize, type ModelConfig } from '../model/config.ts';
import { llamaHidden, llamaLogits, type ModelContext } from '../model/llama.ts';
import { f32, i32, type Ops, type TensorSpec } from '../ops.ts';
import { makeTensors, type Params, type Tensors } from '../tensors.ts';
import { ropeInputs, weightInputs } from '../training/programs.ts';
import { blockWidth, drawnBlocks } from './block.ts';

/**
 * What a row of `next` holds: logits; softmax(logits * `sharpness`), sharpness = 1 / temperature; or the block of those
 * probabilities that a random number, one of `uniforms`, falls into.
 */
export type NextKind = 'logits' | 'probabilities' | 'block';

/** Length of a row of `next`. */
export function nextWidth(kind: NextKind, { vocab_size: v }: ModelConfig): number {
  return kind === 'block' ? blockWidth : v;
}

function nextInputs(kind: NextKind, rows: number): Params<TensorSpec> {
  return {
    ...(kind !== 'logits' && { sharpness: f32() }),
    ...(kind === 'block' && { uniforms: f32(rows) }),
  };
}

/**
 * Reads prompts or one chunk of them. Returns the caches of the rows, `prompt:*` [B, K, S, d], and for the last chunk
 * `next` [B, {@link nextWidth}] after the last row of each prompt. Earlier chunks are given as `past:*` [B, K, P, d].
 */
export function readProgram(
  config: ModelConfig,
  shape: ReadShape,
  kind: NextKind,
  positions: number,
): Program<ReadName | 'tokens'> {
  const { prompts, length, past, isLast } = shape;
  const cache = f32(prompts, config.num_key_value_heads, past, headSize(config));
  const pastNames = past > 0 ? cacheNames('past', config) : [];
  return {
    name: `read ${prompts}x${past}+${length}`,
    inputs: {
      ...weightInputs(config),
      ...ropeInputs(config, positions),
      ...makeTensors(pastNames, () => cache),
      tokens: i32(prompts * length),
      positions: i32(prompts * length),
      ...(isLast && { lastRows: i32(prompts), ...nextInputs(kind, prompts) }),
    },
    build: (ops, x) => {
      const { attention, made } = readingAttention(ops, config, shape, x);
      const model = { ops, config, params: x };
      const hidden = llamaHidden(model, x.tokens, attention);
      return isLast ? { next: next(model, hidden), ...made } : { ...made };
    },
  };
}

/**
 * Generates one token per slot: `next` [U*G, {@link nextWidth}], and what is added to the caches, `new:*` [U*G, K*d].
 */
export function writeProgram(
  config: ModelConfig,
  shape: WriteShape,
  kind: NextKind,
  positions: number,
): Program<WriteName | 'tokens'> {
  const { units, branches, prefix, capacity } = shape;
  const slots = units * branches;
  const [kv, d] = [config.num_key_value_heads, headSize(config)];
  const caches = (part: 'prompt' | 'own', spec: TensorSpec) =>
    makeTensors(cacheNames(part, config), () => spec);
  return {
    name: `write ${units}x${branches} after ${prefix}+${capacity}`,
    inputs: {
      ...weightInputs(config),
      ...ropeInputs(config, positions),
      tokens: i32(slots),
      positions: i32(slots),
      promptMask: f32(units, prefix),
      ownMask: f32(slots, capacity),
      ...caches('prompt', f32(units, kv, prefix, d)),
      ...caches('own', f32(units, kv, branches, capacity, d)),
      ...nextInputs(kind, slots),
    },
    build: <T>(ops: Ops<T>, x: Tensors<WriteName | 'tokens', T>) => {
      const written = writeTokens(ops, config, shape, x);
      return { next: written.next, ...written.made };
    },
  };
}

/** The operations of {@link writeProgram}: `next` and `new:*`. */
export function writeTokens<T>(
  ops: Ops<T>,
  config: ModelConfig,
  shape: WriteShape,
  x: Tensors<WriteName | 'tokens', T>,
): { readonly next: T; readonly made: Params<T> } {
  const { attention, made } = writingAttention(ops, config, shape, x);
  const model = { ops, config, params: x };
  return { next: next(model, llamaHidden(model, x.tokens, attention)), made };
}

/** What the next token is sampled from: logits without the input `sharpness`, a block with `uniforms`. */
function next<T>(model: ModelContext<T>, hidden: T): T {
  const { ops, params } = model;
  const { sharpness, uniforms } = params;
  const logits = llamaLogits(model, hidden);
  if (sharpness === undefined) return logits;
  const probabilities = ops.softmax(ops.mul(logits, sharpness));
  return uniforms === undefined ? probabilities : drawnBlocks(ops, probabilities, uniforms);
}
