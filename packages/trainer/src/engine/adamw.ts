/**
 * AdamW (Loshchilov & Hutter 2019): Adam with bias correction, weight decay apart from the gradient, and
 * clipping by the global norm. Written over blocks of weights, however an executor lays them out.
 * As is usual, decay touches matrices only, not the norms' gains.
 */

import type { AdamWOptions } from '../types.ts';
import type { Program } from './executors/types.ts';
import { f32, type Ops, type Shape, scalar, type TensorSpec } from './ops.ts';

/** A run of weights with one rule for decay. */
export interface Block {
  readonly shape: Shape;
  readonly decay: boolean;
}

const stateNames = ['weight', 'grad', 'mean', 'square'] as const;
type StateName = (typeof stateNames)[number];

export const blockName = (state: StateName, block: number): string => `${state}:${block}`;

/** Buffers, or whatever stands for them, under the programs' names. */
export function blockStates<B>(
  states: Readonly<Partial<Record<StateName, readonly B[]>>>,
): Record<string, B> {
  const named = stateNames.flatMap((state) =>
    (states[state] ?? []).map((buffer, i) => [blockName(state, i), buffer] as const),
  );
  return Object.fromEntries(named);
}

const blockInputs = (blocks: readonly Block[], states: readonly StateName[]) =>
  Object.fromEntries(
    blocks.flatMap(({ shape }, i) => states.map((s) => [blockName(s, i), f32(...shape)] as const)),
  );

/** Blocks of one program: a graph of thousands takes minutes to compile, and large models have thousands. */
const mostBlocks = 64;

/** Runs of blocks, each with a name that is equal where one program does for both. */
export interface BlockGroup {
  readonly key: string;
  readonly start: number;
  readonly blocks: readonly Block[];
}

export function blockGroups(blocks: readonly Block[]): BlockGroup[] {
  return Array.from({ length: Math.ceil(blocks.length / mostBlocks) }, (_, i) => {
    const start = i * mostBlocks;
    const some = blocks.slice(start, start + mostBlocks);
    const runs: { what: string; count: number }[] = [];
    for (const { shape, decay } of some) {
      const what = `[${shape}]${decay ? '' : ' kept'}`;
      const open = runs.at(-1);
      if (open?.what === what) open.count += 1;
      else runs.push({ what, count: 1 });
    }
    const key = runs.map(({ what, count }) => `${count}x${what}`).join(' ');
    return { key, start, blocks: some };
  });
}

/** `norm`: the Euclidean norm of all gradients together. */
export function normProgram(blocks: readonly Block[]): Program {
  return {
    name: 'gradient norm',
    inputs: blockInputs(blocks, ['grad']),
    build: <T>(ops: Ops<T>, x: Readonly<Record<string, T>>) => {
      const squares = blocks.map(({ shape }, i) => {
        const g = x[blockName('grad', i)]!;
        return ops.sum(ops.mul(g, g), [...shape.keys()], false);
      });
      return { norm: ops.sqrt(squares.reduce((a, b) => ops.add(a, b))) };
    },
  };
}

/** Scalars of {@link adamwProgram}. */
export const adamwScalars = [
  'learningRate',
  'beta1',
  'beta2',
  'eps',
  /** 1 - learningRate * weightDecay */
  'keep',
  /** 1 / (1 - beta1^t), 1 / (1 - beta2^t) */
  'meanCorrection',
  'squareCorrection',
  'gradScale',
] as const;
export type AdamWScalars = Record<(typeof adamwScalars)[number], number>;

/** The scalars of step t (from 1). Defaults as in PyTorch, but no weight decay unless asked for. */
export function adamwStep(options: AdamWOptions, t: number, gradNorm: number): AdamWScalars {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, eps = 1e-8 } = options;
  const { weightDecay = 0, maxGradNorm = 0 } = options;
  return {
    learningRate,
    beta1,
    beta2,
    eps,
    keep: 1 - learningRate * weightDecay,
    meanCorrection: 1 / (1 - beta1 ** t),
    squareCorrection: 1 / (1 - beta2 ** t),
    gradScale: maxGradNorm > 0 && gradNorm > maxGradNorm ? maxGradNorm / gradNorm : 1,
  };
}

/** w, m, v of every block after one step, each into its own name. */
export function adamwProgram(blocks: readonly Block[]): Program {
  const scalars = adamwScalars.map((name): readonly [string, TensorSpec] => [name, f32()]);
  return {
    name: 'adamw',
    inputs: { ...blockInputs(blocks, stateNames), ...Object.fromEntries(scalars) },
    build: (ops, x) => Object.assign({}, ...blocks.map((block, i) => step(ops, block, i, x))),
  };
}

function step<T>(
  ops: Ops<T>,
  block: Block,
  index: number,
  x: Readonly<Record<string, T>>,
): Record<string, T> {
  const at = (name: StateName) => x[blockName(name, index)]!;
  const one = scalar(ops, 1);
  const g = ops.mul(at('grad'), x.gradScale!);
  const blend = (old: T, fresh: T, beta: T) =>
    ops.add(ops.mul(old, beta), ops.mul(fresh, ops.sub(one, beta)));
  const mean = blend(at('mean'), g, x.beta1!);
  const square = blend(at('square'), ops.mul(g, g), x.beta2!);
  const root = ops.add(ops.sqrt(ops.mul(square, x.squareCorrection!)), x.eps!);
  const rate = ops.mul(x.learningRate!, x.meanCorrection!);
  const change = ops.mul(ops.div(mean, root), rate);
  const kept = block.decay ? ops.mul(at('weight'), x.keep!) : at('weight');
  return {
    [blockName('weight', index)]: ops.sub(kept, change),
    [blockName('mean', index)]: mean,
    [blockName('square', index)]: square,
  };
}

/** The arrays of one block, of equal length. */
export type BlockArrays = Readonly<Record<StateName, Float32Array>>;
