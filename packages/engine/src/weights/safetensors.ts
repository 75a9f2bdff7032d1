/**
 * The safetensors format (https://huggingface.co/docs/safetensors): an 8-byte little-endian header length, a JSON
 * header, the bytes of the tensors. Reads F32, F16 and BF16 as float32, one tensor at a time; writes any of them.
 * Leaves out: other types, which are refused when such a tensor is read.
 */

import { z } from 'zod';
import { EngineError } from '../errors.ts';
import { type Shape, sizeOf } from '../ops.ts';
import { type Bytes, openBytes, writePieces } from './bytes.ts';
import { decodeFloatsInto, encodeFloats, FLOAT_BYTES, type FloatType } from './floats.ts';
import type { TensorSource } from './source.ts';

export { writeAtomically } from './bytes.ts';

/** A tensor with its shape. */
export interface NamedTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}
export type Tensors = Readonly<Record<string, NamedTensor>>;

export interface SafetensorsFile {
  readonly tensors: Tensors;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The limit of the reference implementation; a header has about a hundred bytes per tensor. */
const LONGEST_HEADER = 100_000_000;
/** Bytes decoded at once: the memory beside the result. */
const CHUNK = 2 ** 23;

const length = z.number().int().nonnegative();
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(length).max(16),
  data_offsets: z.tuple([length, length]),
});
type Entry = z.output<typeof entrySchema>;
const metadataSchema = z.record(z.string(), z.string()).default({});

/**
 * Reads all tensors.
 * @throws EngineError `file` naming the file, the tensor, and what was expected and found
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const source = await openSafetensors(path);
  try {
    const tensors: Record<string, NamedTensor> = {};
    for (const [name, { shape }] of source.tensors)
      tensors[name] = { shape, data: await source.read(name) };
    return { tensors, metadata: source.metadata };
  } finally {
    await source.close();
  }
}

/**
 * Reads the header.
 * @throws EngineError `file` naming the file, the tensor, and what was expected and found
 */
export async function openSafetensors(path: string): Promise<TensorSource> {
  const bytes = await openBytes(path);
  try {
    return await sourceOf(bytes);
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

async function sourceOf(bytes: Bytes): Promise<TensorSource> {
  const { path } = bytes;
  const { header, start } = await readHeader(bytes);
  const { __metadata__, ...rest } = header;
  const metadata = metadataSchema.safeParse(__metadata__);
  if (!metadata.success) throw new EngineError('file', `${path}: __metadata__ must hold strings`);
  const entries = new Map(
    Object.entries(rest).map(([name, raw]) => [name, entryOf(path, name, raw)]),
  );
  checkPlaces(path, entries, bytes.size - start);
  return {
    path,
    metadata: metadata.data,
    tensors: new Map(
      [...entries].map(([name, { shape, dtype }]) => [
        name,
        { shape, path, ...(!isFloat(dtype) && { flaw: unread(dtype) }) },
      ]),
    ),
    read: (name) => readTensor(bytes, start, name, entries.get(name)),
    close: () => bytes.close(),
  };
}

async function readHeader(bytes: Bytes) {
  const { path, size } = bytes;
  if (size < 8)
    throw new EngineError('file', `${path}: ${size} bytes, too short for a safetensors file`);
  const first = await bytes.read(0, 8);
  const announced = Number(new DataView(first.buffer).getBigUint64(0, true));
  if (announced > size - 8 || announced > LONGEST_HEADER)
    throw new EngineError(
      'file',
      `${path}: truncated or not a safetensors file: header of ${announced} bytes announced, ${size - 8} left, at most ${LONGEST_HEADER} allowed`,
    );
  const text = new TextDecoder().decode(await bytes.read(8, announced));
  return { header: parseHeader(text, path), start: 8 + announced };
}

function parseHeader(text: string, path: string): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(text);
    return z.record(z.string(), z.unknown()).parse(header);
  } catch (error) {
    throw new EngineError('file', `${path}: the header is not a JSON object`, { cause: error });
  }
}

function entryOf(path: string, name: string, raw: unknown): Entry {
  const parsed = entrySchema.safeParse(raw);
  const where = `${path}: tensor "${name}"`;
  if (!parsed.success) throw new EngineError('file', `${where}: ${z.prettifyError(parsed.error)}`);
  const {
    dtype,
    shape,
    data_offsets: [start, end],
  } = parsed.data;
  const expected = isFloat(dtype) ? sizeOf(shape) * FLOAT_BYTES[dtype] : end - start;
  if (end < start || end - start !== expected)
    throw new EngineError(
      'file',
      `${where}: ${end - start} bytes for ${dtype} of shape [${shape}], expected ${expected}`,
    );
  return parsed.data;
}

/** Checks that tensors follow each other without gaps or overlaps up to the end of the file, as the format requires. */
function checkPlaces(path: string, entries: ReadonlyMap<string, Entry>, available: number): void {
  const order = [...entries].sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
  let at = 0;
  for (const [
    name,
    {
      data_offsets: [start, end],
    },
  ] of order) {
    if (start !== at)
      throw new EngineError(
        'file',
        `${path}: tensor "${name}" begins at byte ${start}, expected ${at}`,
      );
    if (end > available)
      throw new EngineError(
        'file',
        `${path}: tensor "${name}": truncated, ends at byte ${end} of ${available}`,
      );
    at = end;
  }
  if (at !== available)
    throw new EngineError(
      'file',
      `${path}: its tensors end at byte ${at}, the file at ${available}`,
    );
}

function isFloat(dtype: string): dtype is FloatType {
  return Object.hasOwn(FLOAT_BYTES, dtype);
}
function unread(dtype: string): string {
  return `is ${dtype}; ${Object.keys(FLOAT_BYTES).join(', ')} can be read`;
}

async function readTensor(
  bytes: Bytes,
  body: number,
  name: string,
  entry: Entry | undefined,
): Promise<Float32Array> {
  if (!entry) throw new EngineError('file', `${bytes.path}: tensor "${name}" is missing`);
  const {
    dtype,
    shape,
    data_offsets: [start, end],
  } = entry;
  if (!isFloat(dtype))
    throw new EngineError('file', `${bytes.path}: tensor "${name}" ${unread(dtype)}`);
  const out = new Float32Array(sizeOf(shape));
  for (let at = start; at < end; at += CHUNK) {
    const piece = await bytes.read(body + at, Math.min(CHUNK, end - at));
    decodeFloatsInto(out.subarray((at - start) / FLOAT_BYTES[dtype]), piece, dtype);
  }
  return out;
}

/** Options of {@link writeSafetensors}. */
export interface WriteOptions {
  /** Absent: F32. */
  readonly type?: FloatType;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A tensor to write, computed when its turn comes. */
export interface PendingTensor {
  readonly name: string;
  readonly shape: Shape;
  read(): Promise<Float32Array> | Float32Array;
}

/** Writes a file beside the target and renames it over the target: a reader never sees half a file. */
export async function writeSafetensors(
  path: string,
  tensors: Tensors,
  options: WriteOptions = {},
): Promise<void> {
  const pending = Object.entries(tensors).map(([name, { shape, data }]) => ({
    name,
    shape,
    read: () => data,
  }));
  await writeTensors(path, pending, options);
}

/** As {@link writeSafetensors}, for tensors that are never all in memory. */
export async function writeTensors(
  path: string,
  tensors: readonly PendingTensor[],
  options: WriteOptions = {},
): Promise<void> {
  await writePieces(path, pieces(tensors, options));
}

async function* pieces(
  tensors: readonly PendingTensor[],
  { type = 'F32', metadata }: WriteOptions,
): AsyncGenerator<Uint8Array> {
  yield headerBytes(tensors, type, metadata);
  for (const { name, shape, read } of tensors) {
    const data = await read();
    if (data.length !== sizeOf(shape))
      throw new EngineError(
        'internal',
        `tensor "${name}" has ${data.length} values for shape [${shape}]`,
      );
    yield encodeFloats(data, type);
  }
}

/** The header and its length, padded with spaces to a multiple of 8. */
function headerBytes(
  tensors: readonly PendingTensor[],
  dtype: FloatType,
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  let offset = 0;
  const entries = tensors.map(({ name, shape }) => {
    const start = offset;
    offset += sizeOf(shape) * FLOAT_BYTES[dtype];
    return [name, { dtype, shape, data_offsets: [start, offset] }] as const;
  });
  const json = JSON.stringify({
    ...(metadata && { __metadata__: metadata }),
    ...Object.fromEntries(entries),
  });
  const size = Math.ceil(Buffer.byteLength(json) / 8) * 8;
  const out = Buffer.alloc(8 + size, ' ');
  out.writeBigUInt64LE(BigInt(size));
  out.write(json, 8);
  return out;
}
