/**
 * {@link OnnxOps} for the WebGPU provider: replaces the nodes that the provider lacks by nodes that it has. Sessions
 * refuse to fall back to the CPU, so a missing node is noticed at once.
 */

import { axisLength, type MatmulOptions, matmulShape, type Shape, sizeOf } from '../../ops.ts';
import type { Sym } from './graph.ts';
import { OnnxOps } from './ops.ts';

/** Outputs of one Split; with its input these are eight buffers. */
const MOST_PIECES = 7;

/** The operations of the WebGPU provider. */
export class WebGpuOps extends OnnxOps {
  /** Splits in two levels: every piece is a buffer of one shader, and WebGPU guarantees only eight. */
  override split(x: Sym, axis: number, lengths: readonly number[]): Sym[] {
    if (lengths.length <= MOST_PIECES) return super.split(x, axis, lengths);
    const size = Math.ceil(lengths.length / MOST_PIECES);
    const groups = Array.from({ length: Math.ceil(lengths.length / size) }, (_, i) =>
      lengths.slice(i * size, (i + 1) * size),
    );
    const totals = groups.map((group) => group.reduce((sum, n) => sum + n, 0));
    const parts = this.split(x, axis, totals);
    return groups.flatMap((group, i) => this.split(parts[i]!, axis, group));
  }

  /**
   * Sides are transposed by a Transpose node: FusedMatMul does not exist here, and Gemm, which has flags for it, ran at
   * less than half the speed of MatMul on an H200. If the other side and the product are smaller, they are transposed
   * instead: y = (b' a')'.
   */
  override matmul(a: Sym, b: Sym, options: MatmulOptions = {}): Sym {
    const { transposeA = false, transposeB = false, alpha = 1 } = options;
    const turned = (x: Sym, isTurned: boolean) => (isTurned ? this.#swapLast(x) : x);
    const [sizeA, sizeB, sizeY] = [a.shape, b.shape, matmulShape(a.shape, b.shape, options)].map(
      turningCost,
    ) as [number, number, number];
    // The right side is a weight, and several products share its Transpose.
    const straight = (transposeA ? sizeA : 0) + (transposeB ? sizeB / 2 : 0);
    const swapped = (transposeA ? 0 : sizeA) + (transposeB ? 0 : sizeB) + sizeY;
    const product =
      straight <= swapped
        ? super.matmul(turned(a, transposeA), turned(b, transposeB))
        : this.#swapLast(super.matmul(turned(b, !transposeB), turned(a, !transposeA)));
    return alpha === 1 ? product : this.mul(product, this.constant(Float32Array.of(alpha), []));
  }

  /** x - max - log(sum(exp(x - max))) */
  override logSoftmax(x: Sym): Sym {
    const axes = this.graph.int64s([x.shape.length - 1]);
    const shape = [...x.shape.slice(0, -1), 1];
    const attributes = { keepdims: 1 };
    const max = this.graph.emit('ReduceMax', [x, axes], x.type, shape, { attributes });
    const shifted = this.sub(x, max);
    const sum = this.sum(this.exp(shifted), [-1], true);
    return this.sub(shifted, this.graph.emit('Log', [sum], x.type, shape));
  }

  /**
   * The second output of the provider is not 1/sqrt(mean(x^2) + eps); gradients computed from it would be wrong without
   * an error.
   */
  override rmsNorm(x: Sym, weight: Sym, eps: number): { y: Sym; inv: Sym } {
    const number = (value: number) => this.constant(Float32Array.of(value), []);
    const squares = this.sum(this.mul(x, x), [-1], true);
    const mean = this.mul(squares, number(1 / axisLength(x, -1)));
    const inv = this.div(number(1), this.sqrt(this.add(mean, number(eps))));
    return { y: super.rmsNorm(x, weight, eps).y, inv };
  }

  #swapLast(x: Sym): Sym {
    const last = x.shape.length - 1;
    return this.transpose(x, [...x.shape.keys()].toSpliced(-2, 2, last, last - 1));
  }
}

/** Elements that move when the last two axes are swapped; none if one of them has length 1. */
function turningCost(shape: Shape): number {
  return shape.at(-1) === 1 || shape.at(-2) === 1 ? 0 : sizeOf(shape);
}
