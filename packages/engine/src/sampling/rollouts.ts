/** Rollouts while they are generated. */

import type { Sample, SamplingOptions, StopReason, TokenIds } from '../types.ts';
import { pickFromBlock } from './block.ts';
import { type Picked, pickLikeliest, pickToken } from './pick.ts';
import type { NextKind } from './programs.ts';
import { uniform } from './random.ts';
import type { StopCheck } from './stops.ts';

/** One rollout and the tokens sampled so far. */
export interface Rollout {
  readonly b: number;
  readonly g: number;
  readonly promptLength: number;
  /** Key of its random numbers; the index of a token is appended. */
  readonly origin: readonly number[];
  readonly tokens: Int32Array;
  readonly logprobs: Float32Array;
  /** Tokens drawn so far. */
  count: number;
  stop: StopReason | undefined;
}

/** The rollouts of one prompt, without tokens. */
export function newGroup(
  prompt: TokenIds,
  b: number,
  { groupSize, maxTokens, seed }: SamplingOptions,
): Rollout[] {
  return Array.from({ length: groupSize }, (_, g) => ({
    b,
    g,
    promptLength: prompt.length,
    origin: typeof seed === 'number' ? [seed, b, g] : [seed[b]!, g],
    tokens: new Int32Array(maxTokens),
    logprobs: new Float32Array(maxTokens),
    count: 0,
    stop: undefined,
  }));
}

/** The result of a finished rollout. */
export function toSample({ tokens, logprobs, count, stop }: Rollout): Sample {
  return {
    tokens: tokens.slice(0, count),
    logprobs: logprobs.slice(0, count),
    stop: stop ?? 'length',
  };
}

/** Whether a rollout exists and is still being generated. */
export function isActive(rollout: Rollout | undefined): rollout is Rollout {
  return rollout !== undefined && rollout.stop === undefined;
}

/** The random number of a rollout's next token, in [0, 1). */
export function nextUniform({ origin, count }: Rollout): number {
  return uniform(...origin, count);
}

/** What a token is sampled from. */
interface Next {
  readonly kind: NextKind;
  readonly row: Float32Array;
}

/** Samples the next token of a rollout. */
export type Draw = (rollout: Rollout, next: Next) => void;

function pick({ kind, row }: Next, rollout: Rollout, options: SamplingOptions): Picked {
  if (kind === 'logits') return pickLikeliest(row);
  if (kind === 'block') return pickFromBlock(row, nextUniform(rollout));
  return pickToken(row, nextUniform(rollout), options);
}

/** A function that samples the next token of a rollout and records it. */
export function makeDraw(options: SamplingOptions, stopOf: StopCheck): Draw {
  const { maxTokens, onToken } = options;
  return (rollout, next) => {
    const { b, g, count } = rollout;
    const { token, logprob } = pick(next, rollout, options);
    rollout.tokens[count] = token;
    rollout.logprobs[count] = logprob;
    rollout.count = count + 1;
    const stop = stopOf(rollout.tokens.subarray(0, rollout.count));
    rollout.stop = stop ?? (rollout.count === maxTokens ? 'length' : undefined);
    onToken?.({ b, g, token, logprob, ...(rollout.stop && { stop: rollout.stop }) });
  };
}
