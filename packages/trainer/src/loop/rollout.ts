/** Rollouts of a batch of prompts, verified: tokens in, judged groups out. */

import { withoutStop } from '@cipo/engine';
import { type BinaryReward, type Composed, type Reward, rewardOf } from '@cipo/reward';
import type { Attempt, Diagnostic, Message, Verdict } from '@cipo/verifier/types';
import { UnreadablePrompt } from '../policy/tokenizer.ts';
import type { TrainingTask } from '../tasks/source.ts';
import type { PolicyEngine, Sample, SamplingOptions, TokenIds, Tokenizer } from '../types.ts';
import { binaryReward } from './reward.ts';

export interface Rollout {
  readonly sample: Sample;
  readonly attempt: Attempt;
  readonly verdict: Verdict;
  /** Right or wrong. Undefined where the verdict is void: masked everywhere, never 0. */
  readonly reward: BinaryReward | undefined;
  /** What is optimised: the reward by the configured terms, with each of them. Undefined where {@link reward} is. */
  readonly composed: Composed | undefined;
}

/** An attempt of this step's base stream that is shown back to the policy. */
export interface Anchor {
  readonly group: Group;
  readonly rollout: Rollout;
  readonly passed: boolean;
}

/** G rollouts of one prompt. In the correction stream the group is the single anchor. */
export interface Group {
  readonly item: TrainingTask;
  readonly prompt: TokenIds;
  readonly rollouts: readonly Rollout[];
  readonly anchor?: Anchor;
  /** Diagnostics that the prompt carries; correction stream only. */
  readonly shown?: readonly Diagnostic[];
}

/** A prompt about to be rolled out. */
export interface Ask {
  readonly item: TrainingTask;
  readonly messages: readonly Message[];
  readonly anchor?: Anchor;
  readonly shown?: readonly Diagnostic[];
}

/** What turns text into verdicts, apart from the task itself. */
export interface RolloutParts {
  readonly engine: PolicyEngine;
  readonly tokenizer: Tokenizer;
  /** Absent: right or wrong. */
  readonly reward?: Reward;
  readonly signal?: AbortSignal | undefined;
}

/**
 * asks [B] -> groups [B] of G verified rollouts. A correction whose prompt cannot be written or leaves no room for a
 * completion is left out.
 * @throws where a base prompt is such: the task does not fit the model
 */
export async function rollOut(
  parts: RolloutParts,
  asks: readonly Ask[],
  options: SamplingOptions,
): Promise<Group[]> {
  const room = parts.engine.maxLength - options.maxTokens;
  const ready = asks.flatMap((ask) => {
    const prompt = promptOf(parts.tokenizer, ask, room);
    return prompt ? [{ ask, prompt }] : [];
  });
  if (ready.length === 0) return [];
  const samples = await parts.engine.sample(
    ready.map(({ prompt }) => prompt),
    { decode: parts.tokenizer.decode, ...options },
  );
  return Promise.all(
    ready.map(async ({ ask: { messages: _, ...rest }, prompt }, b) => ({
      ...rest,
      prompt,
      rollouts: await Promise.all(
        (samples[b] ?? []).map((sample) => verified(parts, rest.item, sample, options.stopStrings)),
      ),
    })),
  );
}

/** The prompt's tokens; undefined for a correction that does not fit. */
function promptOf(tokenizer: Tokenizer, ask: Ask, room: number): TokenIds | undefined {
  try {
    const prompt = tokenizer.renderChat(ask.messages);
    if (prompt.length <= room) return prompt;
    if (ask.anchor) return undefined;
    throw new Error(
      `task ${ask.item.task.id}: its prompt has ${prompt.length} tokens, the model has room for ${room}`,
    );
  } catch (error) {
    if (ask.anchor && error instanceof UnreadablePrompt) return undefined;
    throw error;
  }
}

/** A stop text ends an answer without being part of it; the tokens that made it are trained on nevertheless. */
function attemptOf(
  tokenizer: Tokenizer,
  { tokens, stop }: Sample,
  stopStrings: readonly string[] = [],
): Attempt {
  const text = withoutStop(tokenizer.decode(tokens), stopStrings);
  return { text, stop: stop === 'length' ? 'length' : 'end' };
}

async function verified(
  parts: RolloutParts,
  item: TrainingTask,
  sample: Sample,
  stopStrings?: readonly string[],
): Promise<Rollout> {
  const attempt = attemptOf(parts.tokenizer, sample, stopStrings);
  const verdict = await item.domain.verify(item.task, attempt, parts.signal);
  const { reward: compose = binaryReward } = parts;
  const composed = compose(attempt, verdict, sample.tokens.length);
  return { sample, attempt, verdict, reward: rewardOf(verdict), composed };
}

/** Share of right ones among the judged rollouts; undefined where none was judged. */
export function passRate(group: Group): number | undefined {
  const judged = group.rollouts.flatMap((r) => (r.reward === undefined ? [] : [r.reward]));
  return judged.length === 0 ? undefined : mean(judged);
}

export const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce<number>((a, b) => a + b, 0) / values.length;

/** Tokens generated in these groups, end tokens included. */
export const generatedTokens = (groups: readonly Group[]): number =>
  groups.reduce((sum, g) => sum + g.rollouts.reduce((n, r) => n + r.sample.tokens.length, 0), 0);
