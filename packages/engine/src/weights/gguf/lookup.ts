/** Reads typed values of the metadata of a GGUF file. */

import { EngineError } from '../../errors.ts';
import type { GgufMetadata } from './reader.ts';

/**
 * The string under this key.
 * @throws EngineError `file` if the value has another type
 */
export function textOf(metadata: GgufMetadata, key: string): string | undefined {
  const value = metadata.get(key);
  if (value !== undefined && typeof value !== 'string')
    throw new EngineError('file', `metadata "${key}": expected a string, got ${typeof value}`);
  return value;
}

/** The number under this key, or the one number that all elements of an array are. */
export function numberOf(metadata: GgufMetadata, key: string): number | undefined {
  const value = metadata.get(key);
  const first = Array.isArray(value) && value.every((x) => x === value[0]) ? value[0] : value;
  if (first !== undefined && typeof first !== 'number')
    throw new EngineError('file', `metadata "${key}": expected a number, the same for all layers`);
  return first;
}
