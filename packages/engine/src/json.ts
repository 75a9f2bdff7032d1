/** Reads JSON files; errors name the file. */

import { readFileSync, statSync } from 'node:fs';
import { EngineError } from './errors.ts';

/** Bytes. A tokenizer, the largest JSON file of a model, has a tenth of this. */
const LARGEST = 2 ** 28;

/**
 * Reads and parses a JSON file.
 * @throws EngineError `file` naming it, if it is too large or not JSON
 */
export function readJson(path: string): unknown {
  const { size } = statSync(path);
  if (size > LARGEST)
    throw new EngineError('file', `${path}: ${size} bytes, at most ${LARGEST} are read`);
  const text = readFileSync(path, 'utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError('file', `${path}: not JSON`, { cause });
  }
}
