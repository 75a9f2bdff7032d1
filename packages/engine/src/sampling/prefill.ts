/**
 * Reads prompts into caches (prefill). Prompts of similar length are read together and long ones in chunks, so that
 * memory does not grow with the square of the prompt length.
 */

import { cacheNamePairs } from '../model/cached.ts';
import { headSize } from '../model/config.ts';
import { requireParam } from '../tensors.ts';
import type { TokenIds } from '../types.ts';
import type { Arrays, PromptSource } from './cache.ts';
import type { CachedModel } from './model.ts';
import { chunks, paddedCount, paddedTokens } from './shapes.ts';

/** A prompt that was read: its cache, and what its first token is sampled from, [V]. */
export interface ReadPrompt {
  readonly prompt: PromptSource;
  readonly next: Float32Array;
}

/** Maximum tokens that one run reads: of one prompt, and of all prompts together. */
const CHUNK_LENGTH = 512;
const READ_ROWS = 2048;

/** Reads the prompts with these `indices` -> by index. */
export async function readPrompts(
  model: CachedModel,
  prompts: readonly TokenIds[],
  indices: readonly number[],
): Promise<Map<number, ReadPrompt>> {
  const read = new Map<number, ReadPrompt>();
  for (const some of groupReadings(prompts, indices)) {
    const found = await readTogether(
      model,
      some.map((b) => prompts[b]!),
    );
    for (const [i, b] of some.entries()) read.set(b, found[i]!);
  }
  return read;
}

/** Tokens of the caches that {@link readPrompts} makes. */
export function tokensRead(prompts: readonly TokenIds[], indices: readonly number[]): number {
  const capacity = groupReadings(prompts, indices).map((some) => {
    const [whole, rest] = lengthClass(prompts[some[0]!]!.length);
    return paddedCount(some.length) * (whole * CHUNK_LENGTH + rest);
  });
  return capacity.reduce((sum, n) => sum + n, 0);
}

/** Groups prompts that are read together. */
function groupReadings(prompts: readonly TokenIds[], indices: readonly number[]): number[][] {
  // Only prompts of equal rounded length, so that the numbers of a prompt do not depend on the others.
  const classes = Map.groupBy(indices, (b) => lengthClass(prompts[b]!.length).join());
  return [...classes.values()].flatMap((members) => {
    const [, rest] = lengthClass(prompts[members[0]!]!.length);
    return chunks(members, paddedCount(Math.max(1, Math.floor(READ_ROWS / rest))));
  });
}

/** Number of whole chunks, and the rounded length of the rest, which has at least one token. */
function lengthClass(length: number): readonly [chunks: number, rest: number] {
  const whole = Math.floor((length - 1) / CHUNK_LENGTH);
  return [whole, paddedTokens(length - whole * CHUNK_LENGTH)];
}

/** Reads prompts of one length class. */
async function readTogether(
  model: CachedModel,
  prompts: readonly TokenIds[],
): Promise<ReadPrompt[]> {
  const [whole, rest] = lengthClass(prompts[0]!.length);
  let past: Arrays = {};
  for (let chunk = 0; chunk < whole; chunk++)
    past = await readChunk(model, prompts, past, chunk * CHUNK_LENGTH, CHUNK_LENGTH, false);
  const start = whole * CHUNK_LENGTH;
  const last = await readChunk(model, prompts, past, start, rest, true);
  const { next, ...arrays } = { ...last, next: requireParam(last, 'next') };
  const width = model.config.vocab_size;
  return prompts.map(({ length }, row) => ({
    prompt: { from: { arrays, capacity: start + rest }, row, length },
    next: next.subarray(row * width, (row + 1) * width),
  }));
}

/**
 * Reads rows from `start`, after `past`, the `prompt:*` of the rows before -> `prompt:*` of all rows, and `next` for
 * the last chunk.
 */
async function readChunk(
  model: CachedModel,
  prompts: readonly TokenIds[],
  past: Readonly<Arrays>,
  start: number,
  length: number,
  isLast: boolean,
): Promise<Arrays> {
  const rows = paddedCount(prompts.length);
  const tokens = new Int32Array(rows * length);
  const lastRows = new Int32Array(rows);
  for (const [row, prompt] of prompts.entries()) {
    tokens.set(prompt.subarray(start, start + length), row * length);
    lastRows[row] = row * length + prompt.length - start - 1;
  }
  // The positions of padding may exceed the rotary tables; their result is never used.
  const positions = tokens.map((_, at) => Math.min(start + (at % length), model.positions - 1));
  const pairs = start > 0 ? cacheNamePairs('past', 'prompt', model.config) : [];
  const inputs = {
    tokens,
    positions,
    ...(isLast && { lastRows }),
    ...Object.fromEntries(pairs.map(([name, before]) => [name, requireParam(past, before)])),
  };
  const made = await model.read({ prompts: rows, length, past: start, isLast }, inputs);
  return start === 0 ? made : concatCaches(model, rows, past, start, made, length);
}

/** Concatenates caches [B, K, a, d] and [B, K, b, d]. */
function concatCaches(
  model: CachedModel,
  rows: number,
  past: Readonly<Arrays>,
  a: number,
  made: Readonly<Arrays>,
  b: number,
): Arrays {
  const [kv, d] = [model.config.num_key_value_heads, headSize(model.config)];
  const join = (before: Float32Array, after: Float32Array) => {
    const all = new Float32Array(before.length + after.length);
    for (let i = 0; i < rows * kv; i++) {
      all.set(before.subarray(i * a * d, (i + 1) * a * d), i * (a + b) * d);
      all.set(after.subarray(i * b * d, (i + 1) * b * d), (i * (a + b) + a) * d);
    }
    return all;
  };
  const all = Object.entries(past).map(([name, before]) => [
    name,
    join(before, requireParam(made, name)),
  ]);
  return { ...made, ...Object.fromEntries(all) };
}
