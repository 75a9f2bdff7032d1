/** JSON files with errors that name them. */

import { readFileSync, statSync } from 'node:fs';
import { EngineError } from './errors.ts';

/** Bytes. The largest JSON that models have, a tokenizer, is a tenth of it. */
const LARGEST = 2 ** 28;

/** @throws where the file is missing, too large or not JSON, naming it */
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
