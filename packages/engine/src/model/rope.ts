/**
 * Tables of the rotary position embedding (Su et al. 2021) in Hugging Face's half-rotation layout, plain or scaled:
 * linear, llama3 (Llama 3.1) and YaRN (Peng et al. 2023). Computed in float32 steps like transformers, because models
 * were trained with these angles: at position 2000 a rounding of the frequency is 1e-4 radians.
 */

import type { Shape } from '../ops.ts';
import { headSize, type ModelConfig } from './config.ts';
import type { RopeKind, RopeScaling, ScalingOf } from './rope-scaling.ts';

/** Cosines and sines of all positions. */
export interface RopeTables {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
  /** [positions, d/2] */
  readonly shape: Shape;
}

/** angle(p, i) = p * frequency(i) for position p and pair i of a head of size d; YaRN scales both tables. */
export function ropeTables(config: ModelConfig, positions: number): RopeTables {
  const frequencies = ropeFrequencies(config);
  const half = frequencies.length;
  const scale = attentionFactor(config.rope_scaling);
  const [cos, sin] = [new Float32Array(positions * half), new Float32Array(positions * half)];
  for (let p = 0, at = 0; p < positions; p++)
    for (let i = 0; i < half; i++, at++) {
      const angle = Math.fround(p * frequencies[i]!);
      cos[at] = Math.fround(Math.cos(angle)) * scale;
      sin[at] = Math.fround(Math.sin(angle)) * scale;
    }
  return { cos, sin, shape: [positions, half] };
}

/** Radians per position of each pair of a head, [d/2]. */
export function ropeFrequencies(config: ModelConfig): Float32Array {
  const d = headSize(config);
  const exponent = (i: number) => Math.fround(Math.fround(2 * i) / d);
  const periods = Float32Array.from({ length: d / 2 }, (_, i) => config.rope_theta ** exponent(i));
  const plain = periods.map((period) => 1 / period);
  const scaling = config.rope_scaling;
  return scaling ? stretch(scaling, plain, config) : plain;
}

type Stretch<K extends RopeKind> = (
  scaling: ScalingOf<K>,
  plain: Float32Array,
  config: ModelConfig,
) => Float32Array;

function stretch(scaling: RopeScaling, plain: Float32Array, config: ModelConfig): Float32Array {
  switch (scaling.rope_type) {
    case 'linear':
      return plain.map((f) => f / scaling.factor);
    case 'llama3':
      return llama3(scaling, plain, config);
    case 'yarn':
      return yarn(scaling, plain, config);
  }
}

/** Llama 3.1: divides low frequencies by the factor, keeps high ones, and interpolates between. */
const llama3: Stretch<'llama3'> = (scaling, plain) => {
  const { factor, low_freq_factor: low, high_freq_factor: high } = scaling;
  const length = scaling.original_max_position_embeddings;
  return plain.map((f) => {
    const wave = (2 * Math.PI) / f;
    if (wave > length / low) return f / factor;
    if (wave < length / high) return f;
    const smooth = (length / wave - low) / (high - low);
    return ((1 - smooth) * f) / factor + smooth * f;
  });
};

/** YaRN: interpolates over the pairs; those that turn more than beta_fast times in the original context are kept. */
const yarn: Stretch<'yarn'> = (scaling, plain, config) => {
  const d = headSize(config);
  const length = scaling.original_max_position_embeddings;
  const pairOf = (turns: number) =>
    (d * Math.log(length / (turns * 2 * Math.PI))) / (2 * Math.log(config.rope_theta));
  const [first, last] = [pairOf(scaling.beta_fast), pairOf(scaling.beta_slow)];
  const low = Math.max(scaling.truncate ? Math.floor(first) : first, 0);
  const end = Math.min(scaling.truncate ? Math.ceil(last) : last, d - 1);
  const high = end === low ? end + 0.001 : end;
  return plain.map((f, i) => {
    const ramp = Math.min(1, Math.max(0, (i - low) / (high - low)));
    return (f / scaling.factor) * ramp + f * (1 - ramp);
  });
};

/** YaRN's factor of both tables; products of queries and keys change by its square. */
function attentionFactor(scaling: RopeScaling | undefined): number {
  if (scaling?.rope_type !== 'yarn') return 1;
  const { factor, attention_factor: given, mscale, mscale_all_dim: all } = scaling;
  const scale = (m: number) => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1);
  if (given !== undefined) return given;
  return mscale && all ? scale(mscale) / scale(all) : scale(1);
}
