/**
 * The few third-party libraries that an answer may `require`, as texts for the guest. Read once, and
 * only handed to a realm whose program mentions them.
 */
import { readFileSync } from 'node:fs';
import { runtimeRequire } from '../runtimes.ts';

const FILES: Readonly<Record<string, string>> = {
  lodash: 'lodash/lodash.min.js',
};
const texts = new Map<string, string>();

/**
 * Name and text of each library that one of the programs mentions. Strict: the tests hand it what they
 * expect, and a sloppy function shows its arguments to a getter that it runs into.
 */
export function librariesFor(...programs: readonly string[]): (readonly [string, string])[] {
  return Object.keys(FILES)
    .filter((name) => programs.some((program) => program.includes(name)))
    .map((name) => [name, libraryText(name)] as const);
}

function libraryText(name: string): string {
  const known = texts.get(name);
  if (known !== undefined) return known;
  const path = runtimeRequire().resolve(FILES[name]!);
  const text = `'use strict';${readFileSync(path, 'utf8')}`;
  texts.set(name, text);
  return text;
}
