/**
 * A Llama-style decoder over {@link Ops}: embedding, layers of (RMSNorm, attention, RMSNorm, SwiGLU) with
 * residuals, final RMSNorm, output matrix. Rows are tokens: x is [N, D] whatever they belong to; only the
 * attention that is passed in knows about sequences.
 */

import type { ModelConfig } from '../config.ts';
import type { Ops } from '../ops.ts';

export type Params<T> = Readonly<Record<string, T>>;

/** How the tokens of a sequence see each other. */
export interface Attention<T> {
  /** q [N, H*d], k and v [N, K*d], not yet rotated -> [N', H*d]. */
  attend(layer: number, q: T, k: T, v: T): T;
  /** The rows that live on after this layer's attention: x [N, D] -> [N', D]. */
  keep(layer: number, x: T): T;
}

/** x W^T, W [out, in] as Hugging Face stores it. */
const linear = <T>(ops: Ops<T>, x: T, weight: T): T => ops.matmul(x, weight, { transposeB: true });

/** tokens i32 [N] -> final hidden states of the rows kept, normalised. */
export function llamaHidden<T>(
  ops: Ops<T>,
  config: ModelConfig,
  params: Params<T>,
  tokens: T,
  attention: Attention<T>,
): T {
  const eps = config.rms_norm_eps;
  const weight = (name: string) => params[`${name}.weight`]!;
  let x = ops.gatherRows(weight('model.embed_tokens'), tokens); // [N, D]
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`;
    const a = ops.rmsNorm(x, weight(`${at}.input_layernorm`), eps).y;
    const [q, k, v] = ['q', 'k', 'v'].map((p) =>
      linear(ops, a, weight(`${at}.self_attn.${p}_proj`)),
    );
    const mixed = attention.attend(layer, q!, k!, v!); // [N, D]
    x = ops.add(attention.keep(layer, x), linear(ops, mixed, weight(`${at}.self_attn.o_proj`)));
    const m = ops.rmsNorm(x, weight(`${at}.post_attention_layernorm`), eps).y;
    const gate = ops.silu(linear(ops, m, weight(`${at}.mlp.gate_proj`)));
    const up = linear(ops, m, weight(`${at}.mlp.up_proj`)); // [N, F]
    x = ops.add(x, linear(ops, ops.mul(gate, up), weight(`${at}.mlp.down_proj`)));
  }
  return ops.rmsNorm(x, weight('model.norm'), eps).y;
}

/** hidden [N, D] -> logits [N, V] */
export function llamaLogits<T>(ops: Ops<T>, config: ModelConfig, params: Params<T>, hidden: T): T {
  const head = config.tie_word_embeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  return linear(ops, hidden, params[head]!);
}
