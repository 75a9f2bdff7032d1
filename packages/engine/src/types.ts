/**
 * @packageDocumentation
 * The types of training: tokens, samples, data, losses, and the PolicyEngine that holds the policy.
 * Axes: B prompts, G rollouts of a prompt, T tokens, V vocabulary, D model width, H heads.
 */

/** Token ids of one sequence, [T]. */
export type TokenIds = Int32Array;

/** Options of {@link PolicyEngine.sample}. */
export interface SamplingOptions {
  /** Rollouts of each prompt (G). */
  readonly groupSize: number;
  /** Maximum tokens of a completion, including the end token. */
  readonly maxTokens: number;
  /** Sampling temperature; 0 is greedy. Logprobs are those of the distribution that was sampled from. */
  readonly temperature: number;
  /** Keep the k most likely tokens; absent or 0 keeps all. */
  readonly topK?: number;
  /** Keep the smallest set of the remaining tokens with at least this probability; absent or 1 keeps all. */
  readonly topP?: number;
  /** Keep tokens with at least this fraction of the highest probability; absent or 0 keeps all. */
  readonly minP?: number;
  /** Tokens that end a completion, besides the end tokens of the model; included in the completion. */
  readonly stopTokens?: readonly number[];
  /** Strings that end a completion; the token that completes one is included. They need `decode`. */
  readonly stopStrings?: readonly string[];
  /** Decodes tokens to text. */
  readonly decode?: (tokens: TokenIds) => string;
  /**
   * A sequence depends only on (seed, b, g, its prompt), never on what it is batched with. With a list of seeds, one
   * per prompt, it depends on (seed[b], g, its prompt), not on the position of the prompt in the call.
   */
  readonly seed: number | readonly number[];
  /** Called with every token as it is sampled. Must not throw: an error ends the call. */
  readonly onToken?: (drawn: DrawnToken) => void;
  /** Stops the call between two tokens; it rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
}

/** A token just sampled for rollout g of prompt b. */
export interface DrawnToken {
  readonly b: number;
  readonly g: number;
  readonly token: number;
  /** nats */
  readonly logprob: number;
  /** Why the rollout ends here; absent if it continues. */
  readonly stop?: StopReason;
}

/**
 * Why a completion ended. `end`: an end token of the model; `stop`: a stop token or string of the caller; `length`: the
 * maximum length.
 */
export type StopReason = 'end' | 'stop' | 'length';

/**
 * One rollout. `logprobs[t]` (nats) belongs to `tokens[t]`. The token that ended it is included, unless `stop` is
 * `length`.
 */
export interface Sample {
  readonly tokens: TokenIds;
  readonly logprobs: Float32Array;
  readonly stop: StopReason;
}

/**
 * One training sequence as tokens. All arrays have the length T of `tokens`. Position t of `weights`, `advantages` and
 * `logprobs` belongs to the prediction of `tokens[t]`, so index 0 is never trained. A token with weight 0 (prompt,
 * anchor, padding) never enters the loss.
 */
export interface Datum {
  readonly tokens: TokenIds;
  /** Weight of this token in the loss: loss aggregation and stream mixing are expressed here. */
  readonly weights: Float32Array;
  /** Absent for cross-entropy. */
  readonly advantages?: Float32Array;
  /** Logprobs of the sampler (pi_old), nats. Absent for cross-entropy. */
  readonly logprobs?: Float32Array;
  /** Logprobs of the reference, nats. Only needed if the loss has beta > 0. */
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

/** Metrics of one forwardBackward, over the tokens with weight > 0. */
export interface StepMetrics {
  /** The loss summed over tokens with their weights. */
  readonly loss: number;
  /** Number of tokens with weight > 0. */
  readonly tokens: number;
  /** Mean k3 estimate of the KL divergence to the reference, nats; 0 if beta is 0. */
  readonly kl: number;
  /** Fraction of tokens at which the clip was active. */
  readonly clipRatio: number;
  /** Maximum |logp - logp_old|, nats: sampler and trainer must agree for the same weights. */
  readonly logprobGap: number;
}

/** Options of an AdamW step (Loshchilov & Hutter 2019). */
export interface AdamWOptions {
  /** Step size. */
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

/** The distribution that logprobs belong to. */
export interface ScoringOptions {
  /** Logits are divided by it. Use the sampling temperature, so that scorer and sampler agree. Default 1. */
  readonly temperature?: number;
}

/** Which weights to use: those being trained, or the copy made by {@link PolicyEngine.freezeReference}. */
export type Which = 'policy' | 'reference';

/**
 * Holds the policy: in this process, or in a training service. Shaped like the Tinker training API (sample /
 * forward_backward / optim_step / save_weights), so that one loop runs on a laptop and on a cluster.
 */
export interface PolicyEngine {
  /** Maximum tokens of a sequence (prompt + completion). */
  readonly maxLength: number;
  /**
   * Samples completions: prompts [B] -> samples [B][G].
   * @throws EngineError if an option or prompt is invalid, or memory does not suffice; the reason of an aborted signal
   */
  sample(prompts: readonly TokenIds[], options: SamplingOptions): Promise<Sample[][]>;
  /**
   * Logprobs (nats) of the tokens of given sequences, [B][T]; index 0 is 0.
   * @throws EngineError `input` if a sequence is invalid
   */
  logprobs(
    sequences: readonly TokenIds[],
    which?: Which,
    options?: ScoringOptions,
  ): Promise<Float32Array[]>;
  /**
   * Adds the gradient of the summed loss to the accumulated gradient.
   * @throws EngineError `input` if a datum is invalid or lacks what the loss needs
   */
  forwardBackward(
    batch: readonly Datum[],
    loss: LossSpec,
    options?: ScoringOptions,
  ): Promise<StepMetrics>;
  /**
   * Takes one AdamW step with the accumulated gradient and clears it.
   * @returns the global norm of the gradient before clipping
   * @throws EngineError `numeric` if the norm is not finite; weights are not changed then
   */
  optimStep(options: AdamWOptions): Promise<{ gradNorm: number }>;
  /** Copies the current weights as the reference of the KL term. */
  freezeReference(): Promise<void>;
  /** Writes weights and optimizer state to a folder; `weightsOnly` leaves the optimizer out. */
  save(directory: string, options?: { readonly weightsOnly?: boolean }): Promise<void>;
  /** Loads what {@link PolicyEngine.save} wrote. @throws EngineError `file` naming the file that is missing or wrong */
  load(directory: string): Promise<void>;
  /** Frees the engine; it must not be used afterwards. */
  close(): Promise<void>;
}
