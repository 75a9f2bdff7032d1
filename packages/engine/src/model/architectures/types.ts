/** What a family of models adds to the plain decoder of model/llama.ts. A new family is a small file beside this one. */

/** Where the layers of a model have biases and extra norms. */
export interface Traits {
  /** Biases of q_proj, k_proj and v_proj. */
  readonly qkvBias: boolean;
  /** Bias of o_proj. */
  readonly outputBias: boolean;
  /** Biases of gate_proj, up_proj and down_proj. */
  readonly mlpBias: boolean;
  /** RMSNorm over each head of queries and keys, before they are rotated: q_norm and k_norm, [head_dim]. */
  readonly headNorm: boolean;
}

/** The fields of config.json that decide about biases. */
export interface BiasFields {
  readonly attention_bias: boolean;
  readonly mlp_bias: boolean;
}

export interface Architecture {
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** First of `architectures` in config.json: the class that `transformers` makes of it. */
  readonly className: string;
  /** `general.architecture` of GGUF files of this family; absent where llama.cpp has no such name. */
  readonly ggufName?: string;
  /** What the family's configuration class fills in where config.json is silent. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** The window of this configuration's sliding attention in tokens; absent where every layer sees everything. */
  slidingWindow?(config: Readonly<Record<string, unknown>>): number | undefined;
  traits(config: BiasFields): Traits;
}
