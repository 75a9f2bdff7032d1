/**
 * A linear layer over {@link Ops}. The parameters under its name decide what it has: a weight, optionally a bias,
 * optionally a low-rank adapter (Hu et al. 2021, "LoRA"). A weight with a trained adapter is not trained.
 */

import type { Ops } from '../ops.ts';
import { type Params, requireParam } from '../tensors.ts';

/** Names of the tensors and the scale of an adapter, beside `name.weight`. */
export function adapterNames(name: string) {
  return {
    a: `${name}.lora_A.weight`,
    b: `${name}.lora_B.weight`,
    scale: `${name}.lora_scale`,
  };
}

/**
 * x W^T [+ bias] [+ scale (x A^T) B^T]: x [N, in], W [out, in] as Hugging Face stores it, bias [out], A [r, in],
 * B [out, r], scale [].
 */
export function linear<T>(ops: Ops<T>, params: Params<T>, name: string, x: T): T {
  const product = ops.matmul(x, requireParam(params, `${name}.weight`), { transposeB: true });
  const bias = params[`${name}.bias`];
  const y = bias === undefined ? product : ops.add(product, bias);
  const names = adapterNames(name);
  const a = params[names.a];
  if (a === undefined) return y;
  const scale = requireParam(params, names.scale);
  const inner = ops.mul(ops.matmul(x, a, { transposeB: true }), scale); // [N, r]
  return ops.add(y, ops.matmul(inner, requireParam(params, names.b), { transposeB: true }));
}
