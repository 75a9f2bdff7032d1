/** Rolls out a batch of prompts: samples completions, verifies them and returns judged groups. */
import { withoutStop } from '@cipo/engine';
import { type BinaryReward, type Composed, type Reward, rewardOf } from '@cipo/reward';
import { mean } from '@cipo/support';
import type { Attempt, Diagnostic, Message, Verdict } from '@cipo/verifier/types';
import { ConfigError } from '../errors.ts';
import { UnreadablePrompt } from '../policy/tokenizer.ts';
import type { TrainingTask } from '../tasks/source.ts';
import type { PolicyEngine, Sample, SamplingOptions, TokenIds, Tokenizer } from '../types.ts';
import { binaryReward } from './reward.ts';

/** One sampled completion with its verdict and rewards. */
export interface Rollout {
  readonly sample: Sample;
  readonly attempt: Attempt;
  readonly verdict: Verdict;
  /** 1 if correct, 0 if incorrect. Undefined if the verdict is void: masked everywhere, never 0. */
  readonly correctness: BinaryReward | undefined;
  /** The reward that is optimized, with the value of each configured term. Undefined if the verdict is void. */
  readonly composed: Composed | undefined;
}

/** An attempt of this step's base stream that a correction prompt shows to the policy. */
export interface Anchor {
  readonly group: Group;
  readonly rollout: Rollout;
  /** Whether the attempt is correct. */
  readonly passed: boolean;
}

/** The G rollouts of one prompt. In the correction stream every anchor has its own group. */
export interface Group {
  readonly item: TrainingTask;
  readonly prompt: TokenIds;
  readonly rollouts: readonly Rollout[];
  /** Correction stream only. */
  readonly anchor?: Anchor;
  /** Diagnostics in the prompt. Correction stream only. */
  readonly diagnosticsShown?: readonly Diagnostic[];
}

/** A prompt to roll out, with the fields that its {@link Group} takes over. */
export interface RolloutRequest extends Pick<Group, 'item' | 'anchor' | 'diagnosticsShown'> {
  readonly messages: readonly Message[];
}

/** What {@link rollOut} needs besides the prompts. */
export interface RolloutParts {
  /** Samples the completions. */
  readonly engine: PolicyEngine;
  readonly tokenizer: Tokenizer;
  /** Turns verdicts into rewards. Default: 1 if correct, else 0. */
  readonly reward?: Reward;
  /** Cancels verification; the verdicts that it cancels are void. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * requests [B] -> groups [B] of G verified rollouts. A correction is left out if its prompt has a token that the
 * vocabulary lacks, or leaves no room for a completion.
 * @throws if this applies to a base prompt: the task does not fit the model
 */
export async function rollOut(
  parts: RolloutParts,
  requests: readonly RolloutRequest[],
  options: SamplingOptions,
): Promise<Group[]> {
  const promptTokens = parts.engine.maxLength - options.maxTokens;
  const ready = requests.flatMap((request) => {
    const prompt = encodePrompt(parts.tokenizer, request, promptTokens);
    return prompt ? [{ request, prompt }] : [];
  });
  if (ready.length === 0) return [];
  const samples = await parts.engine.sample(
    ready.map(({ prompt }) => prompt),
    { decode: parts.tokenizer.decode, ...options },
  );
  return Promise.all(
    ready.map(async ({ request: { messages: _, ...rest }, prompt }, b) => ({
      ...rest,
      prompt,
      rollouts: await Promise.all(
        (samples[b] ?? []).map((sample) =>
          verifyRollout(parts, rest.item, sample, options.stopStrings),
        ),
      ),
    })),
  );
}

/** The prompt's tokens, or undefined for a correction that does not fit. */
function encodePrompt(
  tokenizer: Tokenizer,
  request: RolloutRequest,
  maxTokens: number,
): TokenIds | undefined {
  try {
    const prompt = tokenizer.renderChat(request.messages);
    if (prompt.length <= maxTokens) return prompt;
    if (request.anchor) return undefined;
    throw new ConfigError(
      `task ${request.item.task.id}: the prompt has ${prompt.length} tokens, expected at most ${maxTokens} (the model's maximum length minus rollout.maxTokens)`,
    );
  } catch (error) {
    if (request.anchor && error instanceof UnreadablePrompt) return undefined;
    throw error;
  }
}

/** The attempt's text ends before the stop string. The tokens of the stop string are still trained on. */
function toAttempt(
  tokenizer: Tokenizer,
  { tokens, stop }: Sample,
  stopStrings: readonly string[] = [],
): Attempt {
  const text = withoutStop(tokenizer.decode(tokens), stopStrings);
  return { text, stop: stop === 'length' ? 'length' : 'end' };
}

async function verifyRollout(
  parts: RolloutParts,
  item: TrainingTask,
  sample: Sample,
  stopStrings?: readonly string[],
): Promise<Rollout> {
  const attempt = toAttempt(parts.tokenizer, sample, stopStrings);
  const verdict = await item.domain.verify(item.task, attempt, parts.signal);
  const { reward: compose = binaryReward } = parts;
  const composed = compose(attempt, verdict, sample.tokens.length);
  return { sample, attempt, verdict, correctness: rewardOf(verdict), composed };
}

/** The {@link Rollout.correctness} of the judged rollouts of some groups. */
export function correctnessOf(groups: readonly Group[]): BinaryReward[] {
  return groups.flatMap(({ rollouts }) => rollouts.flatMap(({ correctness }) => correctness ?? []));
}

/** Share of correct rollouts among the judged ones; undefined if none was judged. */
export function passRate(groups: readonly Group[]): number | undefined {
  const judged = correctnessOf(groups);
  return judged.length === 0 ? undefined : mean(judged);
}

/** Number of tokens generated in these groups, end tokens included. */
export function countTokens(groups: readonly Group[]): number {
  return groups.reduce(
    (sum, { rollouts }) => sum + rollouts.reduce((n, { sample }) => n + sample.tokens.length, 0),
    0,
  );
}
