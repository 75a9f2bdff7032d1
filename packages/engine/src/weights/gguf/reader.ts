/**
 * Reads the header of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions 2 and 3: the
 * metadata and the position of each tensor. Every size in a header is checked against a limit before memory is
 * allocated.
 */

import { errorMessage } from '@cipo/support';
import { EngineError } from '../../errors.ts';
import type { Bytes } from '../bytes.ts';

export type GgufValue = number | boolean | string | readonly GgufValue[];
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** Position, type and shape of a tensor in a GGUF file. */
export interface GgufTensor {
  /** As in Hugging Face files: the last axis is contiguous. */
  readonly shape: readonly number[];
  /** Number of ggml's type: {@link file://./quants.ts}. */
  readonly type: number;
  /** Byte offset from the beginning of the file. */
  readonly start: number;
}

/** Metadata and tensors of a GGUF file. */
export interface GgufHeader {
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

const LIMITS = {
  entries: 65_536,
  tensors: 65_536,
  /** Maximum elements of all arrays together; a vocabulary of 262,144 tokens and its merges has a sixth of it. */
  elements: 2 ** 23,
  stringBytes: 2 ** 24,
  dimensions: 4,
  headerBytes: 2 ** 29,
};
const FIRST_PIECE = 2 ** 24;

/** Thrown at the end of the bytes read so far; more are read then. */
class NeedMore extends Error {}

/**
 * Reads a header.
 * @throws EngineError `file` naming the file and what is wrong with it
 */
export async function readGgufHeader(bytes: Bytes): Promise<GgufHeader> {
  for (let size = FIRST_PIECE; ; size *= 4) {
    const most = Math.min(bytes.size, LIMITS.headerBytes);
    const piece = await bytes.read(0, Math.min(size, most));
    try {
      return parseHeader(new Cursor(piece));
    } catch (error) {
      if (!(error instanceof NeedMore))
        throw new EngineError('file', `${bytes.path}: ${errorMessage(error)}`, {
          cause: error,
        });
      if (piece.length === most)
        throw new EngineError(
          'file',
          most === bytes.size
            ? `${bytes.path}: truncated or not a GGUF file: its header continues beyond its end at byte ${most}`
            : `${bytes.path}: header of more than ${most} bytes`,
          { cause: error },
        );
    }
  }
}

function parseHeader(cursor: Cursor): GgufHeader {
  const magic = cursor.bytes(4, 'magic');
  if (String.fromCharCode(...magic) !== 'GGUF') throw new EngineError('file', 'not a GGUF file');
  const version = cursor.u32();
  if (version !== 2 && version !== 3)
    throw new EngineError(
      'file',
      `GGUF version ${version}, only 2 and 3 (little endian) can be read`,
    );
  const tensorCount = cursor.count(LIMITS.tensors, 'tensors');
  const entryCount = cursor.count(LIMITS.entries, 'metadata entries');
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = cursor.string();
    metadata.set(key, cursor.value(cursor.u32(), `metadata "${key}"`));
  }
  const places = Array.from({ length: tensorCount }, () => tensorPlace(cursor));
  const alignment = alignmentOf(metadata);
  const body = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const { name, offset, ...rest } of places) {
    if (tensors.has(name)) throw new EngineError('file', `tensor "${name}" occurs twice`);
    if (offset % alignment !== 0)
      throw new EngineError(
        'file',
        `tensor "${name}" is at offset ${offset}, not a multiple of ${alignment}`,
      );
    tensors.set(name, { ...rest, start: body + offset });
  }
  return { metadata, tensors };
}

function tensorPlace(cursor: Cursor) {
  const name = cursor.string();
  const rank = cursor.u32();
  if (rank > LIMITS.dimensions)
    throw new EngineError(
      'file',
      `tensor "${name}" has ${rank} axes, at most ${LIMITS.dimensions} are read`,
    );
  const shape = Array.from({ length: rank }, () =>
    cursor.u64(`shape of tensor "${name}"`),
  ).reverse();
  const type = cursor.u32();
  return { name, shape, type, offset: cursor.u64(`offset of tensor "${name}"`) };
}

function alignmentOf(metadata: GgufMetadata): number {
  const found = metadata.get('general.alignment') ?? 32;
  // Above 2^30 the float32 bits are not those of the integer.
  const isSize =
    typeof found === 'number' && Number.isInteger(found) && found > 0 && found <= 2 ** 30;
  if (!isSize || (found & (found - 1)) !== 0)
    throw new EngineError('file', `general.alignment: expected a power of two, got ${found}`);
  return found;
}

/** Reads values in sequence, little endian. */
class Cursor {
  at = 0;
  #elements = 0;
  readonly #data: Uint8Array;
  readonly #view: DataView;
  readonly #text = new TextDecoder();

  constructor(data: Uint8Array) {
    this.#data = data;
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  /** @throws NeedMore if more bytes must be read first; EngineError if the length exceeds the limit */
  bytes(length: number, what: string): Uint8Array {
    if (length > LIMITS.stringBytes)
      throw new EngineError(
        'file',
        `${what} of ${length} bytes, at most ${LIMITS.stringBytes} are read`,
      );
    const start = this.#advance(length);
    return this.#data.subarray(start, start + length);
  }
  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }
  u64(what: string): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new EngineError('file', `${what}: ${value} is too large`);
    return Number(value);
  }
  count(most: number, what: string): number {
    const count = this.u64(what);
    if (count > most) throw new EngineError('file', `${count} ${what}, at most ${most} are read`);
    return count;
  }
  string(): string {
    return this.#text.decode(this.bytes(this.u64('length of a text'), 'a text'));
  }

  value(type: number, what: string): GgufValue {
    if (type === 8) return this.string();
    if (type === 9) return this.#array(what);
    const scalar = SCALARS[type];
    if (!scalar) throw new EngineError('file', `${what} is of the unknown type ${type}`);
    return scalar.read(this.#view, this.#advance(scalar.bytes));
  }

  #array(what: string): GgufValue[] {
    const type = this.u32();
    if (type === 9)
      throw new EngineError('file', `${what} is an array of arrays, which is not read`);
    const count = this.count(LIMITS.elements, `elements of ${what}`);
    this.#elements += count;
    if (this.#elements > LIMITS.elements)
      throw new EngineError(
        'file',
        `${what} brings the elements of all arrays to ${this.#elements}, at most ${LIMITS.elements} are read`,
      );
    const out: GgufValue[] = [];
    for (let i = 0; i < count; i++) out.push(this.value(type, what));
    return out;
  }

  #advance(length: number): number {
    const start = this.at;
    if (start + length > this.#data.length) throw new NeedMore();
    this.at = start + length;
    return start;
  }
}

interface Scalar {
  readonly bytes: number;
  read(view: DataView, at: number): number | boolean;
}

/** By the type number of the format. */
const SCALARS: Readonly<Record<number, Scalar>> = {
  0: { bytes: 1, read: (view, at) => view.getUint8(at) },
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  3: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  4: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  5: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  7: { bytes: 1, read: (view, at) => view.getUint8(at) !== 0 },
  10: { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  11: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  12: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};
