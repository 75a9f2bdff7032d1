/**
 * Sampling in two steps, for devices from which a whole distribution is slow to read. The device finds the block of the
 * vocabulary in which the cumulative distribution reaches a random number; this process samples within the block.
 */

import { axisLength, type Ops, scalar, splitInto } from '../ops.ts';
import { notFinite, type Picked } from './pick.ts';

/** Tokens of a block. */
export const BLOCK_LENGTH = 512;
/**
 * Floats of a row of {@link drawnBlocks}: the probabilities of the block, the mass before it, the total mass, its
 * index.
 */
export const blockWidth = BLOCK_LENGTH + 3;

/**
 * probabilities [N, V], uniforms [N] in [0, 1) -> [N, {@link blockWidth}]. Sums are float32, so the share of draws of a
 * block is off by at most about 1e-7.
 */
export function drawnBlocks<T>(ops: Ops<T>, probabilities: T, uniforms: T): T {
  const [n, v] = ops.spec(probabilities).shape as [number, number];
  const count = Math.ceil(v / BLOCK_LENGTH);
  const blocks = ops.reshape(padded(ops, probabilities, count * BLOCK_LENGTH - v), [
    n,
    count,
    BLOCK_LENGTH,
  ]);
  const sums = ops.sum(blocks, [2], false); // [N, C]
  const upTo = ops.matmul(sums, ops.constant(triangle(count), [count, count])); // [N, C]
  const [before, total] = count === 1 ? [undefined, upTo] : splitInto(ops, upTo, 1, [count - 1, 1]);
  const target = ops.mul(ops.reshape(uniforms, [n, 1]), total);
  // Number of blocks before the target; at most the last block with any mass.
  const passed = before && ops.mul(ops.lessEqual(before, target), below(ops, before, total));
  const index = passed ? ops.sum(passed, [1], true) : ops.mul(target, scalar(ops, 0)); // [N, 1]
  const places = ops.constant(
    Float32Array.from({ length: count }, (_, i) => i),
    [1, count],
  );
  const half = scalar(ops, 0.5);
  const isChosen = ops.lessEqual(ops.abs(ops.sub(places, index)), half); // [N, C]
  const isBefore = ops.lessEqual(ops.add(places, half), index);
  const chosen = ops.matmul(ops.reshape(isChosen, [n, 1, count]), blocks); // [N, 1, L]
  const mass = ops.sum(ops.mul(sums, isBefore), [1], true);
  return ops.concat([ops.reshape(chosen, [n, BLOCK_LENGTH]), mass, total, index], 1);
}

/** 1 where a < b. */
function below<T>(ops: Ops<T>, a: T, b: T): T {
  return ops.sub(scalar(ops, 1), ops.lessEqual(b, a));
}

function padded<T>(ops: Ops<T>, x: T, columns: number): T {
  if (columns === 0) return x;
  const rows = axisLength(ops.spec(x), 0);
  const zeros = ops.broadcastTo(ops.constant(Float32Array.of(0), [1, 1]), [rows, columns]);
  return ops.concat([x, zeros], 1);
}

/** Upper triangle of ones: a row times this is its cumulative sum. */
function triangle(n: number): Float32Array {
  const ones = new Float32Array(n * n);
  for (let i = 0; i < n; i++) ones.fill(1, i * n + i, (i + 1) * n);
  return ones;
}

/**
 * The token at which the cumulative distribution reaches `u`, from its row of {@link drawnBlocks}.
 * @throws EngineError `numeric` if the distribution is not finite
 */
export function pickFromBlock(row: Float32Array, u: number): Picked {
  const [before = 0, total = 0, index = 0] = row.subarray(BLOCK_LENGTH);
  let rest = u * total - before;
  let token = -1;
  for (let i = 0; i < BLOCK_LENGTH; i++) {
    if (row[i] === 0) continue;
    token = i;
    rest -= row[i]!;
    if (rest < 0) break;
  }
  if (!(total > 0 && total < Infinity) || token < 0) throw notFinite();
  return { token: index * BLOCK_LENGTH + token, logprob: Math.log(row[token]! / total) };
}
