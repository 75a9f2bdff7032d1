/**
 * Counter-based random numbers: pure functions of a seed and a position, so that nothing depends on the order of
 * sampling. The mixing step is the 32-bit finaliser of MurmurHash3: good for sampling, not for cryptography.
 */

function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const START = 0x9e3779b9;
/** Extends the hash `h` by one whole number. */
function extendHash(h: number, value: number): number {
  return mix(mix(h ^ mix(value + 0x7f4a7c15)) + Math.floor(value / 2 ** 32) + 0x165667b1);
}

/** A 32-bit hash of whole numbers; the order matters. */
export function hash32(...values: readonly number[]): number {
  return values.reduce(extendHash, START);
}

/** Uniform in [0, 1) with 53 random bits. */
export function uniform(...place: readonly number[]): number {
  return uniformAt(hash32(...place));
}

function uniformAt(h: number): number {
  return ((extendHash(h, 0) >>> 5) * 2 ** 26 + (extendHash(h, 1) >>> 6)) / 2 ** 53;
}

/** Standard normal numbers by the Box-Muller transform; the i-th is a function of (seed, i). */
export function normals(seed: number, count: number): Float32Array {
  const out = new Float32Array(count);
  const h = hash32(seed);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniformAt(extendHash(h, i))));
    const angle = 2 * Math.PI * uniformAt(extendHash(h, i + 1));
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}
