/** Turns groups and advantages into training data. Only this file decides how much each token weighs. */
import type { Aggregation } from '../config.ts';
import type { Datum, TokenIds } from '../types.ts';
import type { Group, Rollout } from './rollout.ts';

/** Options of {@link toData}. */
export interface BatchOptions {
  readonly aggregation: Aggregation;
  /** Divisor of the `constant` aggregation (Dr. GRPO), in tokens. */
  readonly maxTokens: number;
  /** Weight of the whole stream in the joint objective: 1 for base, lambda_c for corrections. */
  readonly streamWeight: number;
  /** Keep sequences with advantage 0. A KL term needs them, the policy gradient does not. */
  readonly keepZeroAdvantages: boolean;
}

/**
 * groups [B] with advantages [B][G] -> one Datum for each judged rollout. A stream is averaged over its own judged
 * sequences. Tokens of prompts and anchors have weight 0.
 */
export function toData(
  groups: readonly Group[],
  advantages: readonly (readonly number[])[],
  options: BatchOptions,
): Datum[] {
  const rows = groups.flatMap(({ prompt, rollouts }, b) =>
    rollouts.map((rollout, g) => ({ prompt, rollout, advantage: advantages[b]?.[g] ?? 0 })),
  );
  const judged = rows.filter(
    ({ rollout }) => rollout.correctness !== undefined && rollout.sample.tokens.length > 0,
  );
  const size: StreamSize = {
    sequences: judged.length,
    tokens: judged.reduce((n, { rollout }) => n + rollout.sample.tokens.length, 0),
  };
  return judged
    .filter(({ advantage }) => options.keepZeroAdvantages || advantage !== 0)
    .map(({ prompt, rollout, advantage }) => {
      const weight = tokenWeight(rollout.sample.tokens.length, size, options);
      return toDatum(prompt, rollout, advantage, options.streamWeight * weight);
    });
}

/** Judged sequences of a stream and their completion tokens. */
interface StreamSize {
  readonly sequences: number;
  readonly tokens: number;
}

/** Weight of each token of a sequence of `length` completion tokens. */
function tokenWeight(
  length: number,
  { sequences, tokens }: StreamSize,
  { aggregation, maxTokens }: BatchOptions,
): number {
  switch (aggregation) {
    case 'seq-mean-token-mean':
      return 1 / (sequences * length);
    case 'token-mean':
      return 1 / tokens;
    case 'constant':
      return 1 / (sequences * maxTokens);
  }
}

/** Token in, token out: the prompt followed by the sampler's own tokens and logprobs, [T] each. */
function toDatum(prompt: TokenIds, { sample }: Rollout, advantage: number, weight: number): Datum {
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
