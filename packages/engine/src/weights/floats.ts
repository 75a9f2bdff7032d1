/** Converts float32 from and to the bytes of F32, F16 and BF16 (little endian, round to nearest even). */

/** Number formats of weights in files. */
export type FloatType = 'F32' | 'F16' | 'BF16';

/** Bytes per number. */
export const FLOAT_BYTES: Readonly<Record<FloatType, number>> = { F32: 4, F16: 2, BF16: 2 };

/** Decodes numbers to float32. */
export function decodeFloats(bytes: Uint8Array, type: FloatType): Float32Array {
  const out = new Float32Array(bytes.length / FLOAT_BYTES[type]);
  decodeFloatsInto(out, bytes, type);
  return out;
}

/** Decodes all of `bytes` into the beginning of `out`. */
export function decodeFloatsInto(out: Float32Array, bytes: Uint8Array, type: FloatType): void {
  if (type === 'F32') {
    new Uint8Array(out.buffer, out.byteOffset, bytes.length).set(bytes);
    return;
  }
  const halves = aligned16(bytes);
  if (type === 'BF16') {
    const bits = new Uint32Array(out.buffer, out.byteOffset, halves.length);
    for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
    return;
  }
  const table = halfTable();
  for (let i = 0; i < halves.length; i++) out[i] = table[halves[i]!]!;
}

/** Typed arrays must begin at aligned bytes; others are copied. */
function aligned16(bytes: Uint8Array): Uint16Array {
  const view = bytes.byteOffset % 2 === 0 ? bytes : Uint8Array.from(bytes);
  return new Uint16Array(view.buffer, view.byteOffset, view.byteLength / 2);
}

/** Encodes float32 numbers. */
export function encodeFloats(data: Float32Array, type: FloatType): Uint8Array {
  if (type === 'F32') return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const convert = type === 'BF16' ? floatBitsToBrain : floatBitsToHalf;
  const halves = new Uint16Array(data.length);
  for (let i = 0; i < halves.length; i++) halves[i] = convert(bits[i]!);
  return new Uint8Array(halves.buffer);
}

let halves: Float32Array | undefined;
/** The value of every half: a lookup takes a tenth of the time of a conversion. */
export function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65_536 }, (_, h) => halfToFloat(h));
  return halves;
}

function halfToFloat(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >>> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function floatBitsToBrain(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 64;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function floatBitsToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  const value = new Float32Array(Uint32Array.of(magnitude).buffer)[0]! * 2 ** 24;
  const low = Math.floor(value);
  const up = value - low > 0.5 || (value - low === 0.5 && low % 2 === 1);
  return sign | (low + (up ? 1 : 0));
}
