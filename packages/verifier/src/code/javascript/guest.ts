/**
 * Reads the guest's files and joins them into the one script that every isolate starts with.
 * They are modules for the linter and for editors; in the isolate they share one closure, so names
 * are unique across files and every file only exports by name.
 */
import { readFileSync } from 'node:fs';
import type ivm from 'isolated-vm';
import { loadIsolatedVm } from '../runtimes.ts';

const FOLDER = new URL('../../../guest/javascript/', import.meta.url);

/** In the order of use: a file may only need names of files before it when it starts. */
const FILES = [
  'primordials',
  'world',
  'layout',
  'inspect',
  'table',
  'output',
  'heap',
  'timers',
  'wire',
  'bytes',
  'stdin',
  'modules',
  'deep-equal',
  'assert',
  'path',
  'util',
  'string-decoder',
  'url',
  'node',
  'lockdown',
  'driver',
] as const;

/** A script whose completion value is `arrive`: call it once, and it answers the driver's one function. */
export function guestScript(): string {
  const parts = FILES.map((name) => unwrapModule(readGuestFile(`${name}.js`)));
  return `(function () {\n'use strict';\n${parts.join('\n')}\nreturn arrive;\n})()`;
}

/**
 * A context in which the guest has run, for isolates to start from: a context made from it needs neither to parse
 * nor to run the guest, which was a quarter of an attempt. `ARRIVAL` comes next.
 */
export function guestSnapshot(): ivm.ExternalCopy<ArrayBuffer> {
  return loadIsolatedVm().Isolate.createSnapshot([
    { code: `globalThis.arrive = ${guestScript()}` },
  ]);
}

/** The first script of a context that starts from the snapshot. Its completion value is the driver. */
export const ARRIVAL = 'arrive()';

export function readGuestFile(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

function unwrapModule(source: string): string {
  return source
    .replace(/^import\s[^;]*;$/gm, '')
    .replace(/^export \{[^}]*\};$/gm, '')
    .replace(/^export /gm, '');
}
