/**
 * The third-party libraries that a program may `require`, as source text for the guest. Each is read once, and given
 * only to a realm whose program mentions it.
 */
import { readFileSync } from 'node:fs';
import { runtimeRequire } from '../runtimes.ts';

const FILES: Readonly<Record<string, string>> = {
  lodash: 'lodash/lodash.min.js',
};
const texts = new Map<string, string>();

/** Name and text of each library that one of the programs mentions. */
export function librariesFor(...programs: readonly string[]): (readonly [string, string])[] {
  return Object.keys(FILES)
    .filter((name) => programs.some((program) => program.includes(name)))
    .map((name) => [name, libraryText(name)] as const);
}

function libraryText(name: string): string {
  const known = texts.get(name);
  if (known !== undefined) return known;
  const path = runtimeRequire().resolve(FILES[name]!);
  // Strict mode: tests pass expected values to it, and a getter can read the arguments of a sloppy function that calls
  // it.
  const text = `'use strict';${readFileSync(path, 'utf8')}`;
  texts.set(name, text);
  return text;
}
