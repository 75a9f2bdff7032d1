/**
 * A Llama-style decoder over {@link Ops}: embedding, layers of (RMSNorm, attention, RMSNorm, SwiGLU) with
 * residuals, final RMSNorm, output matrix. Rows are tokens: x is [N, D] whatever they belong to; only the
 * attention that is passed in knows about sequences.
 */

import type { ModelConfig } from '../config.ts';
import type { Ops } from '../ops.ts';
import { linear } from './linear.ts';

export type Params<T> = Readonly<Record<string, T>>;

/** How the tokens of a sequence see each other. */
export interface Attention<T> {
  /** q [N, H*d], k and v [N, K*d], not yet rotated -> [N', H*d]. */
  attend(layer: number, q: T, k: T, v: T): T;
  /** The rows that live on after this layer's attention: x [N, D] -> [N', D]. */
  keep(layer: number, x: T): T;
}

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
  const project = (name: string, y: T) => linear(ops, params, name, y);
  let x = ops.gatherRows(weight('model.embed_tokens'), tokens); // [N, D]
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`;
    const a = ops.rmsNorm(x, weight(`${at}.input_layernorm`), eps).y;
    const [q, k, v] = ['q', 'k', 'v'].map((p) => project(`${at}.self_attn.${p}_proj`, a));
    const mixed = attention.attend(layer, q!, k!, v!); // [N, D]
    x = ops.add(attention.keep(layer, x), project(`${at}.self_attn.o_proj`, mixed));
    const m = ops.rmsNorm(x, weight(`${at}.post_attention_layernorm`), eps).y;
    const gate = ops.silu(project(`${at}.mlp.gate_proj`, m));
    const up = project(`${at}.mlp.up_proj`, m); // [N, F]
    x = ops.add(x, project(`${at}.mlp.down_proj`, ops.mul(gate, up)));
  }
  return ops.rmsNorm(x, weight('model.norm'), eps).y;
}

/** hidden [N, D] -> logits [N, V] */
export function llamaLogits<T>(ops: Ops<T>, config: ModelConfig, params: Params<T>, hidden: T): T {
  return linear(ops, params, config.tie_word_embeddings ? 'model.embed_tokens' : 'lm_head', hidden);
}
