/** Reads the version of this package. */
import { readFileSync } from 'node:fs';

/** The version in package.json, such as `0.1.0`. */
export function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const found = /"version": "([^"]+)"/.exec(text);
  return found?.[1] ?? 'unknown';
}
