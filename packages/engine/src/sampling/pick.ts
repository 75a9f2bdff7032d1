/**
 * Samples one token: the most likely of the logits, or one of the probabilities limited by top-k, top-p and min-p, with
 * its logprob under the limited distribution. cutoff.ts finds the limits without sorting the vocabulary.
 */

import { EngineError } from '../errors.ts';
import { type Cut, cutAt, kept, likeliestCount, likeliestMass, stricter } from './cutoff.ts';

/** Limits of the distribution that is sampled from. */
export interface Limits {
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
}

/** A sampled token and its logprob. */
export interface Picked {
  readonly token: number;
  /** Nats, of the distribution that was sampled from; 0 for a greedy choice. */
  readonly logprob: number;
}

/** Whether the limits can remove anything from a vocabulary of this size. */
export function isLimited({ topK = 0, topP = 1, minP = 0 }: Limits, vocabulary: number): boolean {
  return (topK > 0 && topK < vocabulary) || topP < 1 || minP > 0;
}

/** The most likely token; among equals the lowest id. */
export function pickLikeliest(logits: Float32Array): Picked {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  // Comparisons with NaN are false; a sum is NaN if one logit is.
  if (!Number.isFinite(sumOf(logits))) throw notFinite();
  return { token: best, logprob: 0 };
}

/**
 * Inverse of the cumulative distribution at `u`, uniform in [0, 1). Limits apply as in Hugging Face's processors:
 * top-k, then top-p of what is left, then min-p; among equal probabilities the lowest ids are kept.
 */
export function pickToken(probabilities: Float32Array, u: number, limits: Limits): Picked {
  const cut = cutOf(probabilities, limits);
  return cut ? drawKept(probabilities, u, cut) : draw(probabilities, u);
}

function cutOf(probabilities: Float32Array, { topK = 0, topP = 1, minP = 0 }: Limits) {
  let cut: Cut | undefined;
  if (topK > 0 && topK < probabilities.length) cut = likeliestCount(probabilities, topK);
  if (topP < 1) {
    const mass = cut
      ? kept(probabilities, cut).reduce((sum, id) => sum + probabilities[id]!, 0)
      : sumOf(probabilities);
    if (!(mass > 0 && mass < Infinity)) throw notFinite();
    cut = stricter(cut, likeliestMass(probabilities, topP * mass));
  }
  return minP > 0 ? stricter(cut, cutAt(minP * largest(probabilities))) : cut;
}

/** Tokens of a block of {@link draw}: one pass sums the blocks, a second one searches a single block. */
const BLOCK_SIZE = 256;
let blockSums = new Float64Array(0);

function draw(mass: Float32Array, u: number): Picked {
  const blocks = Math.ceil(mass.length / BLOCK_SIZE);
  if (blockSums.length < blocks) blockSums = new Float64Array(blocks);
  let total = 0;
  for (let b = 0; b < blocks; b++) {
    blockSums[b] = sumOf(mass, b * BLOCK_SIZE, Math.min(mass.length, (b + 1) * BLOCK_SIZE));
    total += blockSums[b]!;
  }
  if (!(total > 0 && total < Infinity)) throw notFinite();
  let rest = u * total;
  let block = 0;
  while (block < blocks - 1 && rest >= blockSums[block]!) rest -= blockSums[block++]!;
  let token = -1;
  for (let i = block * BLOCK_SIZE; i < mass.length; i++) {
    if (mass[i] === 0) continue;
    token = i;
    rest -= mass[i]!;
    if (rest < 0) break;
  }
  // Rounding can leave a remainder after the last token with any mass.
  if (token < 0) token = mass.findLastIndex((x) => x > 0);
  return { token, logprob: Math.log(mass[token]! / total) };
}

function drawKept(mass: Float32Array, u: number, cut: Cut): Picked {
  const ids = kept(mass, cut);
  const total = ids.reduce((sum, id) => sum + mass[id]!, 0);
  if (!(total > 0 && total < Infinity)) throw notFinite();
  let rest = u * total;
  let token = -1;
  for (const id of ids) {
    if (mass[id] === 0) continue;
    token = id;
    rest -= mass[id]!;
    if (rest < 0) break;
  }
  return { token, logprob: Math.log(mass[token]! / total) };
}

/** Four sums in parallel: a single one would wait for each addition. */
function sumOf(values: Float32Array, start = 0, end = values.length): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = start;
  for (; i + 3 < end; i += 4) {
    a += values[i]!;
    b += values[i + 1]!;
    c += values[i + 2]!;
    d += values[i + 3]!;
  }
  for (; i < end; i++) a += values[i]!;
  return a + b + (c + d);
}

function largest(values: Float32Array): number {
  let most = values[0]!;
  for (let i = 1; i < values.length; i++) if (values[i]! > most) most = values[i]!;
  return most;
}

/** The error of {@link pickToken} and the others. */
export function notFinite() {
  return new EngineError('numeric', 'logits are not finite: no token can be sampled');
}
