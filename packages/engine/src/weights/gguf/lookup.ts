/** Values of a GGUF file's metadata by key, in the kind that is wanted. */

import { EngineError } from '../../errors.ts';
import type { GgufMetadata } from './reader.ts';

/** Text of the metadata under this key. @throws where it is another kind of value */
export function textOf(metadata: GgufMetadata, key: string): string | undefined {
  const value = metadata.get(key);
  if (value !== undefined && typeof value !== 'string')
    throw new EngineError('file', `metadata "${key}" is no text`);
  return value;
}

/** A number of the metadata, or the one number that all elements of an array are. */
export function numberOf(metadata: GgufMetadata, key: string): number | undefined {
  const value = metadata.get(key);
  const first = Array.isArray(value) && value.every((x) => x === value[0]) ? value[0] : value;
  if (first !== undefined && typeof first !== 'number')
    throw new EngineError('file', `metadata "${key}" is no number, or differs from layer to layer`);
  return first;
}
