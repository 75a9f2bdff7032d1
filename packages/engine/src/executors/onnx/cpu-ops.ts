/**
 * {@link OnnxOps} for the CPU provider, which packs the right side of a product before it multiplies. If the right side
 * is a weight and the left side has few rows, packing costs more than multiplying, so the sides are swapped: y = (W
 * x^T)^T.
 */

import { axisLength, type MatmulOptions } from '../../ops.ts';
import type { Sym } from './graph.ts';
import { OnnxOps } from './ops.ts';

/** Row counts for which swapping is faster; a single row has its own path that packs nothing. */
const FEWEST_ROWS = 2;
const MOST_ROWS = 96;

/** The operations of the CPU provider. */
export class CpuOps extends OnnxOps {
  override matmul(a: Sym, b: Sym, options: MatmulOptions = {}): Sym {
    const [rows, columns] = [axisLength(a, 0), axisLength(b, 0)];
    const isLinear =
      a.shape.length === 2 && b.shape.length === 2 && options.transposeB && !options.transposeA;
    if (!isLinear || rows < FEWEST_ROWS || rows > MOST_ROWS || columns <= rows)
      return super.matmul(a, b, options);
    return this.transpose(super.matmul(b, a, options), [1, 0]);
  }
}
