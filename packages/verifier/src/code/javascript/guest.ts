/**
 * Joins the files of `guest/javascript` into the one script that runs first in every context. For the linter, the type
 * checker and editors each file is a module. In the isolate they share one closure, so that names are unique across
 * files and a file exports by name only. `guest/README.md` says what each file does.
 */
import { readFileSync } from 'node:fs';
import type ivm from 'isolated-vm';
import { loadIsolatedVm } from '../runtimes.ts';

const FOLDER = new URL('../../../guest/javascript/', import.meta.url);

/**
 * The load order. While a file loads it may only use names of files before it; functions may use names of any file,
 * because they run later. This list is the only place that says the order.
 */
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

/** The guest as one script. Its completion value is `arrive`, which returns the driver's function. */
export function guestScript(): string {
  const parts = FILES.map((name) => unwrapModule(readGuestFile(`${name}.js`)));
  return `(function () {\n'use strict';\n${parts.join('\n')}\nreturn arrive;\n})()`;
}

/**
 * A snapshot of a context in which the guest has run. Contexts that start from it do not parse and run the guest, which
 * took a quarter of an attempt. They run {@link ARRIVAL} first.
 */
export function guestSnapshot(): ivm.ExternalCopy<ArrayBuffer> {
  return loadIsolatedVm().Isolate.createSnapshot([
    { code: `globalThis.arrive = ${guestScript()}` },
  ]);
}

/** The first script of a context that starts from the snapshot. Its completion value is the driver's function. */
export const ARRIVAL = 'arrive()';

/** Reads one file of `guest/javascript`. */
export function readGuestFile(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

function unwrapModule(source: string): string {
  return source
    .replace(/^import\s[^;]*;$/gm, '')
    .replace(/^export \{[^}]*\};$/gm, '')
    .replace(/^export /gm, '');
}
