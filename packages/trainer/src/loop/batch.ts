/** From groups and advantages to training data: how much each token counts is decided here and nowhere else. */
import type { Aggregation } from '../config.ts';
import type { Datum, TokenIds } from '../types.ts';
import type { Group, Rollout } from './rollout.ts';

export interface BatchOptions {
  readonly aggregation: Aggregation;
  /** Normaliser of `constant` aggregation (Dr. GRPO). */
  readonly maxTokens: number;
  /** Weight of the whole stream in the joint objective: 1 for base, lambda_c for corrections. */
  readonly share: number;
  /** Keep sequences without advantage too: a KL term needs them, the policy gradient does not. */
  readonly keepZero: boolean;
}

/** Weight of one token of a sequence with `length` tokens, in a stream of `sequences` with `tokens` in all. */
function tokenWeight(
  aggregation: Aggregation,
  length: number,
  sequences: number,
  tokens: number,
  maxTokens: number,
) {
  switch (aggregation) {
    case 'seq-mean-token-mean':
      return 1 / (sequences * length);
    case 'token-mean':
      return 1 / tokens;
    case 'constant':
      return 1 / (sequences * maxTokens);
  }
}

/**
 * groups [B] with advantages [B][G] -> one Datum for each judged rollout. Each stream is averaged over its own
 * sequences; prompt and anchor tokens have weight 0.
 */
export function toData(
  groups: readonly Group[],
  advantages: readonly (readonly number[])[],
  options: BatchOptions,
): Datum[] {
  const rows = groups.flatMap((group, b) =>
    group.rollouts.map((rollout, g) => ({ group, rollout, advantage: advantages[b]?.[g] ?? 0 })),
  );
  const judged = rows.filter(
    ({ rollout }) => rollout.reward !== undefined && rollout.sample.tokens.length > 0,
  );
  const tokens = judged.reduce((n, { rollout }) => n + rollout.sample.tokens.length, 0);
  return judged
    .filter(({ advantage }) => options.keepZero || advantage !== 0)
    .map(({ group, rollout, advantage }) => {
      const length = rollout.sample.tokens.length;
      const weight = tokenWeight(
        options.aggregation,
        length,
        judged.length,
        tokens,
        options.maxTokens,
      );
      return datum(group.prompt, rollout, advantage, options.share * weight);
    });
}

/** Token in, token out: the sampler's tokens and logprobs behind the prompt, [T] each. */
function datum(prompt: TokenIds, { sample }: Rollout, advantage: number, weight: number): Datum {
  const length = prompt.length + sample.tokens.length;
  const tokens = new Int32Array(length);
  tokens.set(prompt);
  tokens.set(sample.tokens, prompt.length);
  const logprobs = new Float32Array(length);
  logprobs.set(sample.logprobs, prompt.length);
  return {
    tokens,
    weights: new Float32Array(length).fill(weight, prompt.length),
    advantages: new Float32Array(length).fill(advantage, prompt.length),
    logprobs,
  };
}
