/**
 * Finds the cutoff of top-k, top-p and min-p without sorting. The bits of non-negative floats have the order of the
 * floats, so a radix search over the bits finds the smallest kept value in four passes.
 */

/** What is kept: every value whose bits are above `bits`, and the first `ties` values that equal them. */
export interface Cut {
  readonly bits: number;
  readonly ties: number;
}

/** Bits of each level, from the top: 31 in all, because the sign is 0. */
const LEVELS = [
  { shift: 23, width: 8 },
  { shift: 15, width: 8 },
  { shift: 7, width: 8 },
  { shift: 0, width: 7 },
] as const;

const counts = new Float64Array(2 ** 8);
const masses = new Float64Array(2 ** 8);

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** Keeps the `k` largest. */
export function likeliestCount(values: Float32Array, k: number): Cut {
  return search(values, k, counts, (left) => left);
}

/** Keeps the fewest largest values that add up to `mass`, at least one. */
export function likeliestMass(values: Float32Array, mass: number): Cut {
  return search(values, mass, masses, (left, value) => Math.max(1, Math.ceil(left / value)));
}

/** Keeps every value from `least` on. */
export function cutAt(least: number): Cut {
  return { bits: bitsOf(Float32Array.of(least))[0]!, ties: Infinity };
}

export function stricter(a: Cut | undefined, b: Cut): Cut {
  if (!a || b.bits > a.bits) return b;
  return a.bits > b.bits ? a : { bits: a.bits, ties: Math.min(a.ties, b.ties) };
}

/** The kept ids, ascending. */
export function kept(values: Float32Array, { bits, ties }: Cut): number[] {
  const all = bitsOf(values);
  const ids: number[] = [];
  let left = ties;
  for (let i = 0; i < all.length; i++)
    if (all[i]! > bits || (all[i] === bits && left-- > 0)) ids.push(i);
  return ids;
}

/** Walks the bins of each level from the largest values down until `measure` reaches `target`. */
function search(
  values: Float32Array,
  target: number,
  measure: Float64Array,
  tiesOf: (left: number, value: number) => number,
): Cut {
  const bits = bitsOf(values);
  let [left, found] = [target, 0];
  for (const { shift, width } of LEVELS) {
    fillBins(values, bits, found, shift, width);
    let bin = 2 ** width - 1;
    let last = 0;
    while (counts[last] === 0) last++;
    for (; bin > last && left > measure[bin]!; bin--) left -= measure[bin]!;
    found += bin * 2 ** shift;
  }
  const value = new Float32Array(Uint32Array.of(found).buffer)[0]!;
  return { bits: found, ties: tiesOf(left, value) };
}

/** Counts and masses by the next `width` bits, of the values whose higher bits are `found`. */
function fillBins(
  values: Float32Array,
  bits: Uint32Array,
  found: number,
  shift: number,
  width: number,
) {
  counts.fill(0);
  masses.fill(0);
  const above = shift + width;
  const prefix = above >= 31 ? 0 : found >>> above;
  const mask = 2 ** width - 1;
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i]!;
    if (above < 31 && value >>> above !== prefix) continue;
    const bin = (value >>> shift) & mask;
    counts[bin]! += 1;
    masses[bin]! += values[i]!;
  }
}
