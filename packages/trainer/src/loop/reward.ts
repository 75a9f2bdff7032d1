/** The reward function of a configuration: terms of `@cipo/reward` with their weights. */
import {
  composeReward,
  correct,
  format,
  language,
  length,
  noCode,
  type Reward,
  repetition,
  type Term,
  tests,
  think,
} from '@cipo/reward';
import type { TrainConfig } from '../config.ts';

/** 1 for a correct attempt, 0 for an incorrect one: the reward of the paper, and the default. */
export const binaryReward: Reward = composeReward({ correct: { term: correct, weight: 1 } });

/** Terms of weight 0 are left out, except `correct`: it is always recorded. */
export function rewardFor({ reward, rollout }: Pick<TrainConfig, 'reward' | 'rollout'>): Reward {
  const { terms: weights, lengthFree, script } = reward;
  const { maxTokens } = rollout;
  const terms: Readonly<Record<keyof typeof weights, () => Term>> = {
    correct: () => correct,
    tests: () => tests,
    format: () => format,
    think: () => think,
    length: () => length({ free: lengthFree * maxTokens, max: maxTokens }),
    language: () => language(script),
    noCode: () => noCode,
    repetition: () => repetition,
  };
  const names = Object.keys(terms) as (keyof typeof terms)[];
  const used = names.filter((name) => name === 'correct' || weights[name] !== 0);
  return composeReward(
    Object.fromEntries(used.map((name) => [name, { term: terms[name](), weight: weights[name] }])),
  );
}
