/** JSON files with errors that name them. */
import { readFileSync } from 'node:fs';

/** @throws where the file is missing or not JSON, naming it */
export function readJson(path: string): unknown {
  const text = readFileSync(path, 'utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path}: not JSON`, { cause });
  }
}
