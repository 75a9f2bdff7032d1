/** float32 from and to the bytes of F32, F16 and BF16 (little endian; rounding to nearest even). */

export type FloatType = 'F32' | 'F16' | 'BF16';
export const floatBytes: Readonly<Record<FloatType, number>> = { F32: 4, F16: 2, BF16: 2 };

export function decodeFloats(bytes: Uint8Array, type: FloatType): Float32Array {
  // Not slice(): a Node Buffer's shares its memory.
  const copy = new Uint8Array(bytes).buffer;
  if (type === 'F32') return new Float32Array(copy);
  const halves = new Uint16Array(copy);
  if (type === 'F16') return Float32Array.from(halves, halfToFloat);
  return new Float32Array(Uint32Array.from(halves, (h) => h << 16).buffer);
}

export function encodeFloats(data: Float32Array, type: FloatType): Uint8Array {
  if (type === 'F32') return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const bits = new Uint32Array(data.slice().buffer);
  const convert = type === 'BF16' ? floatBitsToBrain : floatBitsToHalf;
  return new Uint8Array(Uint16Array.from(bits, convert).buffer);
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
