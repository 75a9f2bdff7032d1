/** Tables of the rotary position embedding (Su et al. 2021), in Hugging Face's half-rotation layout. */

import { headSize, type ModelConfig } from '../config.ts';
import type { Shape } from '../ops.ts';

export interface RopeTables {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
  /** [positions, d/2] */
  readonly shape: Shape;
}

/** angle(p, i) = p * theta^(-2i/d) for position p and pair i of a head of size d. */
export function ropeTables(config: ModelConfig, positions: number): RopeTables {
  const d = headSize(config);
  const half = d / 2;
  const angle = (at: number) =>
    Math.floor(at / half) * config.rope_theta ** ((-2 * (at % half)) / d);
  const table = (f: (x: number) => number) =>
    Float32Array.from({ length: positions * half }, (_, at) => f(angle(at)));
  return { cos: table(Math.cos), sin: table(Math.sin), shape: [positions, half] };
}
