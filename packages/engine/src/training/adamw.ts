/**
 * AdamW (Loshchilov & Hutter 2019): Adam with bias correction, decoupled weight decay, and clipping by the global norm.
 * Written over blocks of weights, for any memory layout of an executor. As usual, decay applies to matrices only, not
 * to the gains of norms.
 */

import type { Program } from '../executors/types.ts';
import { ADAMW_DEFAULTS } from '../limits.ts';
import { f32, type Ops, type Shape } from '../ops.ts';
import { checkRules } from '../rules.ts';
import { makeTensors, type Params, requireParam, type Tensors } from '../tensors.ts';
import type { AdamWOptions } from '../types.ts';

/** A block of weights with one decay rule. */
export interface Block {
  readonly shape: Shape;
  readonly decay: boolean;
}

const STATE_NAMES = ['weight', 'grad', 'mean', 'square'] as const;
type StateName = (typeof STATE_NAMES)[number];

function blockName(state: StateName, block: number): string {
  return `${state}:${block}`;
}

/** Buffers (or other handles) under the names that the programs use. */
export function blockStates<B>(
  states: Readonly<Partial<Record<StateName, readonly B[]>>>,
): Params<B> {
  const named = STATE_NAMES.flatMap((state) =>
    (states[state] ?? []).map((buffer, i) => [blockName(state, i), buffer] as const),
  );
  return Object.fromEntries(named);
}

function blockInputs(blocks: readonly Block[], states: readonly StateName[]) {
  return Object.fromEntries(
    blocks.flatMap(({ shape }, i) => states.map((s) => [blockName(s, i), f32(...shape)] as const)),
  );
}

/** Maximum blocks of one program: a graph of thousands takes minutes to compile, and large models have thousands. */
const MOST_BLOCKS = 64;

/** Groups of blocks; groups with equal keys share a program. */
export interface BlockGroup {
  readonly key: string;
  readonly start: number;
  readonly blocks: readonly Block[];
}

export function blockGroups(blocks: readonly Block[]): BlockGroup[] {
  return Array.from({ length: Math.ceil(blocks.length / MOST_BLOCKS) }, (_, i) => {
    const start = i * MOST_BLOCKS;
    const some = blocks.slice(start, start + MOST_BLOCKS);
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
    build: (ops, x) => {
      // Sums rows first: a device assigns each sum to one thread group.
      const squares = blocks.map(({ shape }, i) => {
        const g = requireParam(x, blockName('grad', i));
        const square = ops.mul(g, g);
        return shape.length === 2 ? ops.sum(square, [1], false) : square;
      });
      return { norm: ops.sqrt(ops.sum(ops.concat(squares, 0), [0], false)) };
    },
  };
}

/** The scalars of a step. */
export interface AdamWScalars {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** 1 - learningRate * weightDecay */
  readonly keep: number;
  /** 1 / (1 - beta1^t) */
  readonly meanCorrection: number;
  /** 1 / (1 - beta2^t) */
  readonly squareCorrection: number;
  readonly gradScale: number;
}

/** Smallest eps whose effect on a step is still a normal number in float32. */
const LEAST_EPS = 1e-30;
function isFinite32(x: number) {
  return Number.isFinite(Math.fround(x));
}

/**
 * Options completed with {@link ADAMW_DEFAULTS}; without `maxGradNorm` gradients are not clipped.
 * @throws EngineError `config` naming the option, its value and what is allowed: one wrong number would destroy every
 * weight
 */
export function adamwSettings(options: AdamWOptions): Required<AdamWOptions> {
  const { learningRate, beta1 = ADAMW_DEFAULTS.beta1, beta2 = ADAMW_DEFAULTS.beta2 } = options;
  const { eps = ADAMW_DEFAULTS.eps, weightDecay = ADAMW_DEFAULTS.weightDecay } = options;
  const { maxGradNorm = 0 } = options;
  const isRate = (x: number) => x >= 0 && isFinite32(x);
  checkRules('AdamW option', [
    ['learningRate', learningRate, isRate(learningRate), 'a number of at least 0'],
    ['beta1', beta1, beta1 >= 0 && beta1 < 1, 'a number of at least 0 and below 1'],
    ['beta2', beta2, beta2 >= 0 && beta2 < 1, 'a number of at least 0 and below 1'],
    ['eps', eps, eps >= LEAST_EPS && isFinite32(eps), `a number of at least ${LEAST_EPS}`],
    ['weightDecay', weightDecay, isRate(weightDecay), 'a number of at least 0'],
    ['maxGradNorm', maxGradNorm, maxGradNorm >= 0, 'a number of at least 0'],
  ]);
  return { learningRate, beta1, beta2, eps, weightDecay, maxGradNorm };
}

/** The scalars of step t (from 1). */
export function adamwStep(options: AdamWOptions, t: number, gradNorm: number): AdamWScalars {
  const { learningRate, beta1, beta2, eps, weightDecay, maxGradNorm } = adamwSettings(options);
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

/** Scalars of {@link adamwProgram}: those of a step, combined to need the fewest passes over the tensors. */
export function foldedScalars(s: AdamWScalars) {
  const root = Math.sqrt(s.squareCorrection);
  return {
    beta1: s.beta1,
    beta2: s.beta2,
    meanGain: (1 - s.beta1) * s.gradScale,
    squareGain: (1 - s.beta2) * s.gradScale ** 2,
    eps: s.eps / root,
    rate: (s.learningRate * s.meanCorrection) / root,
    keep: s.keep,
  };
}
/** Names of the scalar inputs of {@link adamwProgram}. */
type FoldedName = keyof ReturnType<typeof foldedScalars>;
const FOLDED_NAMES: readonly FoldedName[] = [
  'beta1',
  'beta2',
  'meanGain',
  'squareGain',
  'eps',
  'rate',
  'keep',
];

/** Weights and both moments of every block after one step, each under its own name. */
export function adamwProgram(blocks: readonly Block[]): Program<FoldedName> {
  return {
    name: 'adamw',
    inputs: { ...blockInputs(blocks, STATE_NAMES), ...makeTensors(FOLDED_NAMES, () => f32()) },
    build: (ops, x) => Object.assign({}, ...blocks.map((block, i) => step(ops, block, i, x))),
  };
}

function step<T>(ops: Ops<T>, block: Block, index: number, x: Tensors<FoldedName, T>): Params<T> {
  const at = (name: StateName) => requireParam(x, blockName(name, index));
  const by = (y: T, name: FoldedName) => ops.mul(y, x[name]);
  const g = at('grad');
  const mean = ops.add(by(at('mean'), 'beta1'), by(g, 'meanGain'));
  const square = ops.add(by(at('square'), 'beta2'), by(ops.mul(g, g), 'squareGain'));
  const change = by(ops.div(mean, ops.add(ops.sqrt(square), x.eps)), 'rate');
  const kept = block.decay ? by(at('weight'), 'keep') : at('weight');
  return {
    [blockName('weight', index)]: ops.sub(kept, change),
    [blockName('mean', index)]: mean,
    [blockName('square', index)]: square,
  };
}

/** The arrays of one block, all of one length. */
export type BlockArrays = Readonly<Record<StateName, Float32Array>>;
