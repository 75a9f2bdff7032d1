/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header, the tensors' bytes.
 * (https://huggingface.co/docs/safetensors). Reads F32, F16 and BF16 as float32; writes any of the three.
 * Left out: sharded files, other types.
 */

import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { type Shape, sizeOf } from '../ops.ts';
import { decodeFloats, encodeFloats, type FloatType, floatBytes } from './floats.ts';

export interface NamedTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}
export type Tensors = Readonly<Record<string, NamedTensor>>;

export interface SafetensorsFile {
  readonly tensors: Tensors;
  readonly metadata: Readonly<Record<string, string>>;
}

const entrySchema = z.object({
  dtype: z.enum(['F32', 'F16', 'BF16']),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});
const metadataSchema = z.record(z.string(), z.string()).optional();

/** @throws naming the file, the tensor and what was found and expected. */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  return parseSafetensors(await readFile(path), path);
}

export function parseSafetensors(bytes: Uint8Array, path: string): SafetensorsFile {
  const { header, body } = splitHeader(bytes, path);
  const { __metadata__, ...entries } = header;
  const metadata = metadataSchema.safeParse(__metadata__);
  if (!metadata.success) throw new Error(`${path}: __metadata__ must hold strings`);
  const tensors = Object.entries(entries).map(([name, entry]) => [
    name,
    readTensor(entry, body, `${path}: tensor "${name}"`),
  ]);
  return { tensors: Object.fromEntries(tensors), metadata: metadata.data ?? {} };
}

function splitHeader(bytes: Uint8Array, path: string) {
  if (bytes.length < 8)
    throw new Error(`${path}: ${bytes.length} bytes, too short for a safetensors file`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > bytes.length - 8)
    throw new Error(
      `${path}: truncated or no safetensors file: header of ${length} bytes announced, ${bytes.length - 8} left`,
    );
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  return { header: parseHeader(text, path), body: bytes.subarray(8 + length) };
}

function parseHeader(text: string, path: string): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(text);
    return z.record(z.string(), z.unknown()).parse(header);
  } catch (error) {
    throw new Error(`${path}: the header is not a JSON object`, { cause: error });
  }
}

function readTensor(entry: unknown, body: Uint8Array, where: string): NamedTensor {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success)
    throw new Error(`${where}: ${z.prettifyError(parsed.error)} in ${JSON.stringify(entry)}`);
  const { dtype, shape, data_offsets } = parsed.data;
  const [start, end] = data_offsets;
  const expected = sizeOf(shape) * floatBytes[dtype];
  if (end - start !== expected)
    throw new Error(
      `${where}: ${end - start} bytes for ${dtype} of shape [${shape}], expected ${expected}`,
    );
  if (end > body.length)
    throw new Error(`${where}: truncated, ends at byte ${end} of ${body.length}`);
  return { shape, data: decodeFloats(body.subarray(start, end), dtype) };
}

/** Written beside the target and renamed over it: a reader never sees half a file. */
export async function writeSafetensors(
  path: string,
  tensors: Tensors,
  options: { readonly type?: FloatType; readonly metadata?: Record<string, string> } = {},
): Promise<void> {
  await writeAtomically(path, formatSafetensors(tensors, options));
}

export function formatSafetensors(
  tensors: Tensors,
  options: { readonly type?: FloatType; readonly metadata?: Record<string, string> } = {},
): Uint8Array {
  const dtype = options.type ?? 'F32';
  const header: Record<string, unknown> = {};
  if (options.metadata) header.__metadata__ = options.metadata;
  let offset = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    if (data.length !== sizeOf(shape))
      throw new Error(`tensor "${name}" has ${data.length} values for shape [${shape}]`);
    const end = offset + data.length * floatBytes[dtype];
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(
    json.padEnd(Math.ceil(Buffer.byteLength(json) / 8) * 8 - Buffer.byteLength(json) + json.length),
  );
  const out = new Uint8Array(8 + text.length + offset);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  let at = 8 + text.length;
  for (const { data } of Object.values(tensors)) {
    const bytes = encodeFloats(data, dtype);
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

/** @throws what the file system says (no space, no permission); the old file then still stands. */
export async function writeAtomically(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, data);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
