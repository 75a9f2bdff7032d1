/**
 * Random numbers by counter: a pure function of a seed and a place, so nothing depends on the order of drawing.
 * The mixing step is MurmurHash3's 32-bit finaliser; good for sampling, not for secrets.
 */

function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const START = 0x9e3779b9;
/** A hash of what `h` is the hash of, and one whole number more. */
function hashed(h: number, value: number): number {
  return mix(mix(h ^ mix(value + 0x7f4a7c15)) + Math.floor(value / 2 ** 32) + 0x165667b1);
}

/** A 32-bit hash of whole numbers, order mattering. */
export function hash32(...values: readonly number[]): number {
  return values.reduce(hashed, START);
}

/** Uniform in [0, 1) with 53 random bits. */
export function uniform(...place: readonly number[]): number {
  return uniformAt(hash32(...place));
}

function uniformAt(h: number): number {
  return ((hashed(h, 0) >>> 5) * 2 ** 26 + (hashed(h, 1) >>> 6)) / 2 ** 53;
}

/** Standard normal numbers, the i-th a function of (seed, i): Box and Muller's transform. */
export function normals(seed: number, count: number): Float32Array {
  const out = new Float32Array(count);
  const h = hash32(seed);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniformAt(hashed(h, i))));
    const angle = 2 * Math.PI * uniformAt(hashed(h, i + 1));
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}
