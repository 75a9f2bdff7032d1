/** What a model family adds to the decoder of model/llama.ts. A new family is one file in this folder. */

/** Where the layers of a model have biases and extra norms. */
export interface Traits {
  /** Biases of q_proj, k_proj and v_proj. */
  readonly qkvBias: boolean;
  /** Bias of o_proj. */
  readonly outputBias: boolean;
  /** Biases of gate_proj, up_proj and down_proj. */
  readonly mlpBias: boolean;
  /** RMSNorm over each head of queries and keys, before the rotation: q_norm and k_norm, [head_dim]. */
  readonly headNorm: boolean;
}

/** The fields of config.json that decide about biases. */
interface BiasFields {
  readonly attention_bias: boolean;
  readonly mlp_bias: boolean;
}

/** A model family. */
export interface Architecture {
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** First entry of `architectures` in config.json: the class in `transformers`. */
  readonly className: string;
  /** `general.architecture` of GGUF files of this family; absent if llama.cpp has no such name. */
  readonly ggufName?: string;
  /** Defaults of the configuration class of the family. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** The sliding window of this configuration in tokens; absent if every layer attends to everything. */
  slidingWindow?(config: Readonly<Record<string, unknown>>): number | undefined;
  traits(config: BiasFields): Traits;
}
