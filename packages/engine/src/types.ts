/**
 * @packageDocumentation
 * The nouns of training: tokens, samples, data, losses, the PolicyEngine that holds the policy.
 * Axis legend, everywhere: B prompts, G rollouts of a prompt, T tokens, V vocabulary, D model, H heads.
 */

/** Token ids of one sequence, [T]. */
export type TokenIds = Int32Array;

/** How the engine draws rollouts. */
export interface SamplingOptions {
  /** Rollouts of each prompt (G). */
  readonly groupSize: number;
  /** Most tokens of a completion, the end token included. */
  readonly maxTokens: number;
  /** 0 is greedy. Logprobs are those of the distribution that was sampled from. */
  readonly temperature: number;
  /** Keep the k likeliest tokens; absent or 0 keeps all. */
  readonly topK?: number;
  /** Keep the smallest set of tokens with at least this mass, of those that top-k left; absent or 1 keeps all. */
  readonly topP?: number;
  /** Keep tokens at least this many times as likely as the likeliest; absent or 0 keeps all. */
  readonly minP?: number;
  /** Tokens that end a completion besides the model's own end tokens; included in it. */
  readonly stopTokens?: readonly number[];
  /** Texts that end a completion: with the token that completes one, which is included. They need `decode`. */
  readonly stopStrings?: readonly string[];
  /** Tokens to text, the tokenizer's. */
  readonly decode?: (tokens: TokenIds) => string;
  /**
   * A sequence depends on (seed, its place [b, g], its prompt) alone, never on what it was batched with. A list has a
   * seed for each prompt: then (seed[b], g, its prompt), wherever in a call the prompt stands.
   */
  readonly seed: number | readonly number[];
  /** Told of every token as it is drawn. Must not throw: that ends the call. */
  readonly onToken?: (drawn: DrawnToken) => void;
  /** Ends the call between two tokens; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A token just drawn for rollout g of prompt b. */
export interface DrawnToken {
  readonly b: number;
  readonly g: number;
  readonly token: number;
  /** nats */
  readonly logprob: number;
  /** Why the rollout ends here; absent where it goes on. */
  readonly stop?: StopReason;
}

/** 'end': the model's end token, 'stop': a stop token or text of the caller, 'length': no room for more. */
export type StopReason = 'end' | 'stop' | 'length';

/** One rollout. `logprobs[t]` (nats) belongs to `tokens[t]`; what ended it is included unless `stop` is 'length'. */
export interface Sample {
  readonly tokens: TokenIds;
  readonly logprobs: Float32Array;
  readonly stop: StopReason;
}

/**
 * One training sequence, token in, token out. All arrays have the length T of `tokens`.
 * Position t of `weights`, `advantages` and `logprobs` belongs to the *prediction of* `tokens[t]`
 * (so index 0 is never trained). A token with weight 0 (prompt, anchor, padding) never enters the loss.
 */
export interface Datum {
  readonly tokens: TokenIds;
  /** Share of this token in the loss: loss aggregation and stream mixing are expressed here. */
  readonly weights: Float32Array;
  /** Absent for cross-entropy. */
  readonly advantages?: Float32Array;
  /** The sampler's own logprobs (pi_old), nats. Absent for cross-entropy. */
  readonly logprobs?: Float32Array;
  /** Reference-model logprobs, nats. Needed only where the loss has beta > 0. */
  readonly refLogprobs?: Float32Array;
}

/**
 * Loss summed over tokens with their weights, w = exp(logp - logp_old), A the advantage:
 * - `cross_entropy`: -logp
 * - `importance_sampling`: -w A
 * - `ppo`: -min(w A, clip(w, 1 - clipLow, 1 + clipHigh) A) + beta k3,  k3 = exp(d) - d - 1, d = logp_ref - logp
 * - `cispo`: -sg(min(w, 1 + clipHigh)) A logp
 */
export type LossSpec =
  | { readonly kind: 'cross_entropy' }
  | { readonly kind: 'importance_sampling' }
  | {
      readonly kind: 'ppo';
      readonly clipLow: number;
      readonly clipHigh: number;
      readonly beta: number;
    }
  | { readonly kind: 'cispo'; readonly clipHigh: number };

/** What one forwardBackward saw, over the tokens with weight > 0. */
export interface StepMetrics {
  readonly loss: number;
  /** Number of tokens with weight > 0. */
  readonly tokens: number;
  /** Mean k3 to the reference; 0 where beta is 0. */
  readonly kl: number;
  /** Share of tokens where the clip was active. */
  readonly clipRatio: number;
  /** Largest |logp - logp_old|, nats: sampler and trainer of the same weights must agree. */
  readonly logprobGap: number;
}

/** AdamW with decoupled weight decay and clipping by global norm. */
export interface AdamWOptions {
  readonly learningRate: number;
  /** Decay of the mean of gradients. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of squared gradients. Default 0.99. */
  readonly beta2?: number;
  /** Added to the root of the mean of squared gradients. Default 1e-8. */
  readonly eps?: number;
  /** Decoupled weight decay, of matrices only. Default 0. */
  readonly weightDecay?: number;
  /** Global gradient norm above which gradients are scaled down. Default 0: no clipping. */
  readonly maxGradNorm?: number;
}

/** Which distribution logprobs are of. */
export interface ScoringOptions {
  /** Logits are divided by it: the temperature that was sampled at, so that both say the same. Default 1. */
  readonly temperature?: number;
}

/** Which weights answer: the ones being trained, or the frozen copy made by {@link PolicyEngine.freezeReference}. */
export type Which = 'policy' | 'reference';

/**
 * Where the policy lives: this process, or a training service. Shaped like the Tinker training API
 * (sample / forward_backward / optim_step / save_weights), so one loop runs on a laptop and on a cluster.
 */
export interface PolicyEngine {
  /** Longest sequence (prompt + completion) it can hold. */
  readonly maxLength: number;
  /** prompts [B] -> samples [B][G]. */
  sample(prompts: readonly TokenIds[], options: SamplingOptions): Promise<Sample[][]>;
  /** Per-token logprobs (nats) of given sequences, [B][T], index 0 is 0. */
  logprobs(
    sequences: readonly TokenIds[],
    which?: Which,
    options?: ScoringOptions,
  ): Promise<Float32Array[]>;
  /** Adds the gradient of the summed loss to what is accumulated. */
  forwardBackward(
    batch: readonly Datum[],
    loss: LossSpec,
    options?: ScoringOptions,
  ): Promise<StepMetrics>;
  /** One AdamW step on the accumulated gradient, which it clears. */
  optimStep(options: AdamWOptions): Promise<{ gradNorm: number }>;
  /** Copies the current weights as the reference of the KL term. */
  freezeReference(): Promise<void>;
  /** Writes weights and optimizer state. `weightsOnly` leaves the optimizer out. */
  save(directory: string, options?: { readonly weightsOnly?: boolean }): Promise<void>;
  load(directory: string): Promise<void>;
  close(): Promise<void>;
}
