/**
 * Decodes ggml's number formats to float32 (ggml-quants.c). A quantized tensor is a row of blocks, each with its own
 * scale: value = scale * quant, or scale * quant - minimum.
 * Leaves out: 2 and 3 bit formats and the IQ family.
 */

import { EngineError } from '../../errors.ts';
import { decodeFloats, type FloatType, halfTable } from '../floats.ts';

/** A number format of ggml. */
export interface QuantFormat {
  readonly name: string;
  /** Values of a block. */
  readonly values: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** Decodes whole blocks to float32. */
  decode(bytes: Uint8Array): Float32Array;
}

/** Decodes the block at byte `at` of `b` to `out` from `to` on. */
type Block = (b: Uint8Array, at: number, out: Float32Array, to: number) => void;

function plain(name: FloatType, bytes: number): QuantFormat {
  return {
    name,
    values: 1,
    bytes,
    decode: (b) => decodeFloats(b, name),
  };
}

function blocks(name: string, values: number, bytes: number, block: Block): QuantFormat {
  return {
    name,
    values,
    bytes,
    decode: (b) => {
      const count = b.length / bytes;
      const out = new Float32Array(count * values);
      for (let i = 0; i < count; i++) block(b, i * bytes, out, i * values);
      return out;
    },
  };
}

function half(b: Uint8Array, at: number): number {
  return halfTable()[b[at]! | (b[at + 1]! << 8)]!;
}
function toSigned(byte: number): number {
  return (byte << 24) >> 24;
}

/** 16 bytes hold 32 quants: the low halves of all, then the high halves. */
function nibbles(
  b: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  value: (q: number, i: number) => number,
) {
  for (let i = 0; i < 16; i++) {
    const byte = b[at + i]!;
    out[to + i] = value(byte & 15, i);
    out[to + i + 16] = value(byte >> 4, i + 16);
  }
}

const q4_0: Block = (b, at, out, to) => {
  const d = half(b, at);
  nibbles(b, at + 2, out, to, (q) => (q - 8) * d);
};
const q4_1: Block = (b, at, out, to) => {
  const [d, m] = [half(b, at), half(b, at + 2)];
  nibbles(b, at + 4, out, to, (q) => q * d + m);
};
/** The fifth bit of quant i. */
function fifth(b: Uint8Array, at: number, i: number): number {
  return ((b[at + (i >> 3)]! >> (i & 7)) & 1) << 4;
}
const q5_0: Block = (b, at, out, to) => {
  const d = half(b, at);
  nibbles(b, at + 6, out, to, (q, i) => ((q | fifth(b, at + 2, i)) - 16) * d);
};
const q5_1: Block = (b, at, out, to) => {
  const [d, m] = [half(b, at), half(b, at + 2)];
  nibbles(b, at + 8, out, to, (q, i) => (q | fifth(b, at + 4, i)) * d + m);
};
const q8_0: Block = (b, at, out, to) => {
  const d = half(b, at);
  for (let i = 0; i < 32; i++) out[to + i] = toSigned(b[at + 2 + i]!) * d;
};

/** Scale and minimum, 6 bits each, of the j-th of 8 sub-blocks, packed into 12 bytes. */
function scaleAndMinimum(b: Uint8Array, at: number, j: number): readonly [number, number] {
  const s = (i: number) => b[at + i]!;
  if (j < 4) return [s(j) & 63, s(j + 4) & 63];
  return [(s(j + 4) & 15) | ((s(j - 4) >> 6) << 4), (s(j + 4) >> 4) | ((s(j) >> 6) << 4)];
}

/** 8 sub-blocks of 32; two share 32 bytes, one in the low halves and one in the high. `high` adds the fifth bit. */
function subBlocks(
  b: Uint8Array,
  at: number,
  quants: number,
  out: Float32Array,
  to: number,
  high?: number,
) {
  const [d, minimum] = [half(b, at), half(b, at + 2)];
  for (let j = 0; j < 8; j++) {
    const [scale, low] = scaleAndMinimum(b, at + 4, j);
    const [factor, offset] = [Math.fround(d * scale), Math.fround(minimum * low)];
    for (let i = 0; i < 32; i++) {
      const byte = b[quants + (j >> 1) * 32 + i]!;
      const q = j % 2 === 0 ? byte & 15 : byte >> 4;
      const extra = high === undefined ? 0 : ((b[high + i]! >> j) & 1) << 4;
      out[to + j * 32 + i] = Math.fround(factor * (q | extra)) - offset;
    }
  }
}
const q4_k: Block = (b, at, out, to) => subBlocks(b, at, at + 16, out, to);
const q5_k: Block = (b, at, out, to) => subBlocks(b, at, at + 48, out, to, at + 16);

/** Two halves of 128: four low bits in `ql` (64 bytes a half), two high ones in `qh` (32), a scale for 16 values. */
const q6_k: Block = (b, at, out, to) => {
  const d = half(b, at + 208);
  for (let n = 0; n < 2; n++)
    for (let part = 0; part < 4; part++)
      for (let i = 0; i < 32; i++) {
        const low = b[at + 64 * n + 32 * (part & 1) + i]!;
        const four = part < 2 ? low & 15 : low >> 4;
        const two = (b[at + 128 + 32 * n + i]! >> (2 * part)) & 3;
        const scale = toSigned(b[at + 192 + 8 * n + 2 * part + (i >> 4)]!);
        out[to + 128 * n + 32 * part + i] = Math.fround(d * scale) * ((four | (two << 4)) - 32);
      }
};

const formats: ReadonlyMap<number, QuantFormat> = new Map([
  [0, plain('F32', 4)],
  [1, plain('F16', 2)],
  [2, blocks('Q4_0', 32, 18, q4_0)],
  [3, blocks('Q4_1', 32, 20, q4_1)],
  [6, blocks('Q5_0', 32, 22, q5_0)],
  [7, blocks('Q5_1', 32, 24, q5_1)],
  [8, blocks('Q8_0', 32, 34, q8_0)],
  [12, blocks('Q4_K', 256, 144, q4_k)],
  [13, blocks('Q5_K', 256, 176, q5_k)],
  [14, blocks('Q6_K', 256, 210, q6_k)],
  [30, plain('BF16', 2)],
]);

const UNREAD: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/**
 * The format of a tensor type.
 * @throws EngineError `file` naming the format and those that are supported
 */
export function quantFormat(type: number): QuantFormat {
  const found = formats.get(type);
  if (found) return found;
  const known = [...formats.values()].map(({ name }) => name).join(', ');
  throw new EngineError(
    'file',
    `is in format ${UNREAD[type] ?? `number ${type}`}, which is not read; these are: ${known}`,
  );
}
