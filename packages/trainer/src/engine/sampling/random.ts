/**
 * Random numbers by counter: a pure function of a seed and a place, so nothing depends on the order of drawing.
 * The mixing step is MurmurHash3's 32-bit finaliser; good for sampling, not for secrets.
 */

const mix = (x: number): number => {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** A 32-bit hash of whole numbers, order mattering. */
export function hash32(...values: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const value of values) {
    h = mix(h ^ mix(value + 0x7f4a7c15));
    h = mix(h + Math.floor(value / 2 ** 32) + 0x165667b1);
  }
  return h >>> 0;
}

/** Uniform in [0, 1) with 53 random bits. */
export function uniform(...place: readonly number[]): number {
  const high = hash32(...place, 0) >>> 5;
  const low = hash32(...place, 1) >>> 6;
  return (high * 2 ** 26 + low) / 2 ** 53;
}

/** Standard normal numbers, the i-th a function of (seed, i): Box and Muller's transform. */
export function normals(seed: number, count: number): Float32Array {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(seed, i)));
    const angle = 2 * Math.PI * uniform(seed, i + 1);
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}
