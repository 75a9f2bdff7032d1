/**
 * Options of low-rank adapters: which linear layers have one, rank and scale, their tensors and initial values. Names
 * as in PEFT's LoraConfig.
 * Leaves out: dropout, DoRA, trained biases and whole trained modules.
 */

import { EngineError } from '../errors.ts';
import { type ModelConfig, paramSpecs } from '../model/config.ts';
import { adapterNames } from '../model/linear.ts';
import { axisLength, sizeOf } from '../ops.ts';
import { checkRules, isWhole, type Rule } from '../rules.ts';
import { hash32, uniform } from '../sampling/random.ts';
import type { NamedArrays, TensorName } from '../weights/store.ts';

/** PEFT's name for every linear layer except the output matrix. */
const ALL_LINEAR = 'all-linear';

/** Options of low-rank adapters, named as in PEFT's LoraConfig. */
export interface LoraOptions {
  readonly rank: number;
  readonly alpha: number;
  /**
   * Last parts of module names (`q_proj`) or whole names; {@link ALL_LINEAR}; or any other string, a regular expression
   * for whole names.
   */
  readonly targetModules: readonly string[] | string;
  /** Scale by alpha / sqrt(rank) (Kalajdzievski 2023) instead of alpha / rank. */
  readonly rslora?: boolean;
  /** Indices of the layers that have adapters; absent: all. */
  readonly layers?: readonly number[];
  /** Ranks and alphas of modules with their own, by the end of their names (PEFT: rank_pattern, alpha_pattern). */
  readonly rankPattern?: Readonly<Record<string, number>>;
  readonly alphaPattern?: Readonly<Record<string, number>>;
}

/** A linear layer with an adapter: y = x W^T + scale (x A^T) B^T, A [rank, in], B [out, rank]. */
export interface LoraModule {
  /** Without `.weight`. */
  readonly name: string;
  readonly outputs: number;
  readonly inputs: number;
  readonly rank: number;
  readonly scale: number;
}

/** The embedding is a matrix but not a linear layer; all-linear leaves out the output matrix. */
const EMBEDDING = 'model.embed_tokens';
const HEAD = 'lm_head';

/** Upper bound of ranks; an adapter is allocated before its tensors are read. */
export const MOST_RANK = 2 ** 16;

/**
 * @throws EngineError `config` naming an invalid rank, alpha or pattern, or a target that names no linear layer of the
 * model, with the existing ones
 */
export function loraModules(config: ModelConfig, options: LoraOptions): LoraModule[] {
  checkWords(options);
  const linear = linearLayers(config);
  checkTargets(linear, options);
  const chosen = linear.filter(({ name }) => isTarget(name, options));
  if (chosen.length === 0)
    throw new EngineError(
      'config',
      `lora targets ${JSON.stringify(options.targetModules)} match ${kinds(linear)}`,
    );
  return chosen.map(({ name, shape }) => {
    const [outputs, inputs] = [axisLength({ shape }, 0), axisLength({ shape }, 1)];
    const rank = ofPattern(options.rankPattern, name) ?? options.rank;
    const alpha = ofPattern(options.alphaPattern, name) ?? options.alpha;
    const scale = alpha / (options.rslora ? Math.sqrt(rank) : rank);
    return { name, outputs, inputs, rank, scale };
  });
}

function checkWords({
  rank,
  alpha,
  targetModules,
  rankPattern = {},
  alphaPattern = {},
}: LoraOptions): void {
  const isRank = (x: number) => isWhole(x, 1) && x <= MOST_RANK;
  const ofEach = (name: string, patterns: Readonly<Record<string, number>>) =>
    Object.entries(patterns).map(([key, x]) => [`${name}[${JSON.stringify(key)}]`, x] as const);
  const ranks = [['rank', rank] as const, ...ofEach('rankPattern', rankPattern)];
  const alphas = [['alpha', alpha] as const, ...ofEach('alphaPattern', alphaPattern)];
  const texts = [targetModules, ...Object.keys({ ...rankPattern, ...alphaPattern })];
  for (const text of texts)
    if (typeof text === 'string' && !isPattern(text))
      throw new EngineError(
        'config',
        `lora pattern ${JSON.stringify(text)}: expected a regular expression`,
      );
  checkRules('lora', [
    ...ranks.map(
      ([name, x]): Rule => [name, x, isRank(x), `a whole number from 1 to ${MOST_RANK}`],
    ),
    ...alphas.map(([name, x]): Rule => [name, x, Number.isFinite(x), 'a number']),
  ]);
}

function linearLayers(config: ModelConfig): TensorName[] {
  return paramSpecs(config).flatMap(({ name, shape }) => {
    const module = name.replace(/\.weight$/, '');
    return shape.length === 2 && module !== EMBEDDING ? [{ name: module, shape }] : [];
  });
}

function checkTargets(linear: readonly TensorName[], { targetModules }: LoraOptions): void {
  if (typeof targetModules === 'string') return;
  for (const target of targetModules)
    if (!linear.some(({ name }) => endsWith(name, target)))
      throw new EngineError('config', `lora target "${target}" matches ${kinds(linear)}`);
}

function kinds(linear: readonly TensorName[]): string {
  const names = new Set(linear.map(({ name }) => name.split('.').at(-1)!));
  return `no linear layer of this model; it has ${[...names].join(', ')}`;
}

function endsWith(name: string, end: string): boolean {
  return name === end || name.endsWith(`.${end}`);
}

function isTarget(name: string, { targetModules, layers }: LoraOptions): boolean {
  const layer = /\.layers\.(\d+)\./.exec(name)?.[1];
  if (layers && !(layer !== undefined && layers.includes(Number(layer)))) return false;
  if (targetModules === ALL_LINEAR) return name !== HEAD;
  if (typeof targetModules === 'string') return wholeName(targetModules).test(name);
  return targetModules.some((target) => endsWith(name, target));
}

/** Matches a pattern: the end of a name, or a regular expression for it. */
function ofPattern(
  patterns: Readonly<Record<string, number>> | undefined,
  name: string,
): number | undefined {
  const found = Object.entries(patterns ?? {}).find(([pattern]) =>
    wholeName(`(?:.*\\.)?(?:${pattern})`).test(name),
  );
  return found?.[1];
}

function wholeName(text: string): RegExp {
  return new RegExp(`^(?:${text})$`);
}

/** Whether a string is a regular expression in JavaScript; some of Python's are not. */
export function isPattern(text: string): boolean {
  try {
    wholeName(text);
    return true;
  } catch {
    return false;
  }
}

/** The tensors of the adapters, in a fixed order. */
export function adapterSpecs(modules: readonly LoraModule[]): TensorName[] {
  return modules.flatMap(({ name, outputs, inputs, rank }) => {
    const names = adapterNames(name);
    return [
      { name: names.a, shape: [rank, inputs] },
      { name: names.b, shape: [outputs, rank] },
    ];
  });
}

/**
 * Initial values as in PEFT: A uniform within 1/sqrt(in) (Kaiming with a = sqrt 5), B zero, so that training starts at
 * the base model.
 */
export function initialAdapter(modules: readonly LoraModule[], seed: number): NamedArrays {
  const made: NamedArrays = {};
  for (const { name, outputs, inputs, rank } of modules) {
    const names = adapterNames(name);
    const stream = hash32(seed, ...Buffer.from(names.a));
    const bound = 1 / Math.sqrt(inputs);
    made[names.a] = Float32Array.from(
      { length: rank * inputs },
      (_, i) => bound * (2 * uniform(stream, i) - 1),
    );
    made[names.b] = new Float32Array(outputs * rank);
  }
  return made;
}

/** Number of parameters of adapters. */
export function parametersOf(modules: readonly LoraModule[]): number {
  return adapterSpecs(modules).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}
