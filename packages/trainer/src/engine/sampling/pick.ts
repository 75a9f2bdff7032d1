/** Drawing one token from logits: temperature, top-k, top-p; with its logprob under what was drawn from. */

export interface PickOptions {
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
}

export interface Picked {
  readonly token: number;
  /** nats, of the distribution drawn from; 0 for a greedy choice, which is certain. */
  readonly logprob: number;
}

/** Unnormalised probabilities of the draw at hand; one array for all, because a draw is made for every token. */
let scratch = new Float64Array(0);

/** `u` uniform in [0, 1). Filters as usual: temperature, then top-k, then top-p. Ties keep the lower token id. */
export function pickToken(logits: Float32Array, u: number, options: PickOptions): Picked {
  const { temperature, topK = 0, topP = 1 } = options;
  const likeliest = argmax(logits);
  if (temperature === 0) return { token: likeliest, logprob: 0 };
  if (scratch.length !== logits.length) scratch = new Float64Array(logits.length);
  const top = logits[likeliest]!;
  for (let i = 0; i < logits.length; i++) scratch[i] = Math.exp((logits[i]! - top) / temperature);
  const limited = (topK > 0 && topK < logits.length) || topP < 1;
  if (limited) keepLikeliest(scratch, topK > 0 ? topK : logits.length, topP);
  return draw(scratch, u);
}

function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Inverse of the cumulative distribution of unnormalised masses. */
function draw(mass: Float64Array, u: number): Picked {
  let total = 0;
  for (let i = 0; i < mass.length; i++) total += mass[i]!;
  if (!(total > 0 && total < Infinity)) throw new Error('logits are not finite: nothing to draw');
  let rest = u * total;
  let token = -1;
  for (let i = 0; i < mass.length; i++) {
    if (mass[i] === 0) continue;
    token = i;
    rest -= mass[i]!;
    if (rest < 0) break;
  }
  return { token, logprob: Math.log(mass[token]! / total) };
}

/** Zeroes everything but the k likeliest tokens, and of those everything past a mass of p. */
function keepLikeliest(mass: Float64Array, k: number, p: number): void {
  const order = Array.from(mass.keys()).sort((a, b) => mass[b]! - mass[a]! || a - b);
  const candidates = order.slice(0, k);
  const enough = p * candidates.reduce((sum, i) => sum + mass[i]!, 0);
  let sum = 0;
  let kept = 0;
  while (kept < candidates.length && (kept === 0 || sum < enough))
    sum += mass[candidates[kept++]!]!;
  for (const i of order.slice(kept)) mass[i] = 0;
}
