/** All logits of a model, from the parts of its programs; the engine itself never needs them all. */

import type { Executor, Program, TypedArray } from '../executors/types.ts';
import { groupedAttention } from '../model/attention.ts';
import { contextLength, type ModelConfig } from '../model/config.ts';
import { llamaHidden, llamaLogits } from '../model/llama.ts';
import { ropeTables } from '../model/rope.ts';
import { f32, i32 } from '../ops.ts';
import { weightInputs } from '../training/programs.ts';
import type { NamedArrays } from '../weights/store.ts';
import { runProgram } from './data.ts';

/** Tokens of B sequences of `length`, concatenated -> logits [B * length, V]. */
export async function logitsOf(
  executor: Executor,
  { config, weights }: { readonly config: ModelConfig; readonly weights: NamedArrays },
  tokens: Int32Array,
  length: number,
): Promise<TypedArray> {
  const { cos, sin } = ropeTables(config, contextLength(config));
  const positions = Int32Array.from(tokens, (_, i) => i % length);
  const { logits } = await runProgram(
    executor,
    logitsProgram(config, tokens.length / length, length),
    { ...weights, cos, sin, tokens, positions },
    { logits: f32(tokens.length, config.vocab_size) },
  );
  return logits;
}

function logitsProgram(
  config: ModelConfig,
  b: number,
  t: number,
): Program<'tokens' | 'positions' | 'cos' | 'sin'> {
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
      const attention = groupedAttention({ ops, config, layout }, x);
      const model = { ops, config, params: x };
      return { logits: llamaLogits(model, llamaHidden(model, x.tokens, attention)) };
    },
  };
}
