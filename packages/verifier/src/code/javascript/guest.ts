/**
 * Reads the guest's files and joins them into the one script that every isolate starts with.
 * They are modules for the linter and for editors; in the isolate they share one closure, so names
 * are unique across files and every file only exports by name.
 */
import { readFileSync } from 'node:fs';

const FOLDER = new URL('../../../guest/javascript/', import.meta.url);

/** In the order of use: a file may only need names of files before it when it starts. */
const FILES = [
  'primordials',
  'world',
  'inspect',
  'output',
  'timers',
  'wire',
  'bytes',
  'stdin',
  'modules',
  'deep-equal',
  'assert',
  'node',
  'lockdown',
  'driver',
] as const;

/** A script whose completion value is the driver's one function. */
export function guestScript(): string {
  const parts = FILES.map((name) => unwrapModule(readGuestFile(`${name}.js`)));
  return `(function () {\n'use strict';\n${parts.join('\n')}\nreturn drive;\n})()`;
}

export function readGuestFile(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

function unwrapModule(source: string): string {
  return source
    .replace(/^import\s[^;]*;$/gm, '')
    .replace(/^export \{[^}]*\};$/gm, '')
    .replace(/^export /gm, '');
}
