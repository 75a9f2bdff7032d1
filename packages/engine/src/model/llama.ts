/**
 * The decoder of the Llama family over {@link Ops}: embedding, layers of (RMSNorm, attention, RMSNorm, SwiGLU) with
 * residuals, final RMSNorm, output matrix; with the biases and head norms of the architecture. Rows are tokens, x is
 * [N, D]; only the given attention knows about sequences.
 */

import { axisLength, type Ops } from '../ops.ts';
import { type Params, requireParam } from '../tensors.ts';
import { type ModelConfig, traitsOf } from './config.ts';
import { linear } from './linear.ts';

/** What the model is computed with: the operations, its configuration and its parameters. */
export interface ModelContext<T> {
  readonly ops: Ops<T>;
  readonly config: ModelConfig;
  readonly params: Params<T>;
}

/** How the tokens of a sequence attend to each other. */
export interface Attention<T> {
  /** q [N, H*d], k and v [N, K*d], not yet rotated -> [N', H*d]. */
  attend(layer: number, q: T, k: T, v: T): T;
  /** The rows that are kept after the attention of this layer: x [N, D] -> [N', D]. */
  keep(layer: number, x: T): T;
}

/**
 * tokens i32 [N] -> final normalized hidden states of the kept rows. `runLayer` replaces the computation of a layer
 * (training uses it for checkpointing); absent: {@link llamaLayer}.
 */
export function llamaHidden<T>(
  model: ModelContext<T>,
  tokens: T,
  attention: Attention<T>,
  runLayer = (layer: number, x: T): T => llamaLayer(model, layer, x, attention),
): T {
  const { ops, config, params } = model;
  let x = ops.gatherRows(requireParam(params, 'model.embed_tokens.weight'), tokens); // [N, D]
  for (let layer = 0; layer < config.num_hidden_layers; layer++) x = runLayer(layer, x);
  return ops.rmsNorm(x, requireParam(params, 'model.norm.weight'), config.rms_norm_eps).y;
}

/** Prefix of the names of the parameters of a layer. */
export function layerPrefix(layer: number): string {
  return `model.layers.${layer}.`;
}

/** One layer: x [N, D] -> [N', D]. Reads the parameters whose names begin with {@link layerPrefix}. */
export function llamaLayer<T>(
  model: ModelContext<T>,
  layer: number,
  x: T,
  attention: Attention<T>,
): T {
  const { ops, config, params } = model;
  const at = layerPrefix(layer);
  const project = (name: string, y: T) => linear(ops, params, at + name, y);
  const norm = (name: string, y: T) =>
    ops.rmsNorm(y, requireParam(params, `${at}${name}.weight`), config.rms_norm_eps).y;
  const a = norm('input_layernorm', x);
  const { q, k, v } = queriesKeysValues(model, `${at}self_attn`, a);
  const mixed = attention.attend(layer, q, k, v); // [N', H*d]
  const y = ops.add(attention.keep(layer, x), project('self_attn.o_proj', mixed));
  const m = norm('post_attention_layernorm', y);
  const gate = ops.silu(project('mlp.gate_proj', m));
  const up = project('mlp.up_proj', m); // [N', F]
  return ops.add(y, project('mlp.down_proj', ops.mul(gate, up)));
}

function queriesKeysValues<T>(
  { ops, config, params }: ModelContext<T>,
  at: string,
  x: T,
): { readonly q: T; readonly k: T; readonly v: T } {
  const q = linear(ops, params, `${at}.q_proj`, x);
  const k = linear(ops, params, `${at}.k_proj`, x);
  const v = linear(ops, params, `${at}.v_proj`, x);
  if (!traitsOf(config).headNorm) return { q, k, v };
  const byHead = (name: string, y: T) => {
    const spec = ops.spec(y);
    const [rows, width] = [axisLength(spec, 0), axisLength(spec, 1)];
    const heads = ops.reshape(y, [rows, width / config.head_dim, config.head_dim]);
    const gain = requireParam(params, `${at}.${name}.weight`);
    return ops.reshape(ops.rmsNorm(heads, gain, config.rms_norm_eps).y, spec.shape);
  };
  return { q: byHead('q_norm', q), k: byHead('k_norm', k), v };
}

/** Name of the output matrix; tied models use the embeddings. */
export function headName({ tie_word_embeddings: tied }: ModelConfig): string {
  return tied ? 'model.embed_tokens' : 'lm_head';
}

/** hidden [N, D] -> logits [N, V] */
export function llamaLogits<T>({ ops, config, params }: ModelContext<T>, hidden: T): T {
  return linear(ops, params, headName(config), hidden);
}
