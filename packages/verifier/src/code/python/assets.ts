/**
 * The files from which Python is built: those of Pyodide's npm package, and those of `guest/python`. Reads and patches
 * them. Leaves out: running them.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { runtimeRequire } from '../runtimes.ts';

const GUEST = new URL('../../../guest/python/', import.meta.url);
const PYODIDE = runtimeRequire().resolve('pyodide/package.json');
const PAGE_KB = 64;

/** The memory section of Pyodide's wasm module: one 32-bit memory of at most 65536 pages. */
const MEMORY_SECTION = Buffer.from('0101e003808004', 'hex');

/** Reads one file of the npm package `pyodide`. */
export function readPyodideFile(name: string): Buffer {
  return readFileSync(PYODIDE.replace(/package\.json$/, name));
}

/** Reads one file of `guest/python` as text. */
export function readGuestText(name: string): string {
  return readFileSync(new URL(name, GUEST), 'utf8');
}

/** Reads one file of `guest/python` as bytes. */
export function readGuestBytes(name: string): Buffer {
  return readFileSync(new URL(name, GUEST));
}

/** The code with which Pyodide loads a snapshot: it copies all pages, also those of zeros. */
const LOAD_SNAPSHOT = 'Module.HEAP8.set(t)';

/** A module of Pyodide, patched: it has a fixed URL, and loading a snapshot leaves out pages of zeros. */
export function pyodideModule(name: 'pyodide.mjs' | 'pyodide.asm.mjs'): string {
  const text = readPyodideFile(name).toString('utf8');
  const placed = text.replaceAll('import.meta.url', JSON.stringify(`file:///pyodide/${name}`));
  if (name === 'pyodide.mjs') return placed;
  if (!placed.includes(LOAD_SNAPSHOT)) {
    throw new Error(
      'pyodide.asm.mjs: expected `Module.HEAP8.set(t)`, found no such code. This version of Pyodide is not supported',
    );
  }
  return placed.replace(LOAD_SNAPSHOT, '__copyPages(Module.HEAP8,t)');
}

/**
 * The wasm module with limited memory, so that Python itself raises a MemoryError at the limit.
 * @throws {Error} if the module has no memory section of the expected form
 */
export function cappedWasm(memoryMb: number): Buffer {
  const bytes = Buffer.from(readPyodideFile('pyodide.asm.wasm'));
  const at = bytes.indexOf(MEMORY_SECTION);
  if (at < 0)
    throw new Error(
      'pyodide.asm.wasm: expected one memory of at most 65536 pages. This version of Pyodide is not supported',
    );
  const pages = Math.min(65_536, Math.max(512, Math.ceil((memoryMb * 1024) / PAGE_KB)));
  bytes[at + 4] = 0x80 | (pages & 0x7f);
  bytes[at + 5] = 0x80 | ((pages >> 7) & 0x7f);
  bytes[at + 6] = (pages >> 14) & 0x7f;
  return bytes;
}

/**
 * The Python program that becomes part of the snapshot, from the files below in their load order, which is defined only
 * here. It has its own namespace and its own built-ins, so that a program of an attempt that changes `builtins` does
 * not affect it. The part that such a program can reach (`streams`, `turns`) is in a second namespace, from which
 * nothing leads to the first.
 */
export function runnerProgram(): string {
  const run = (names: readonly string[], space: string) =>
    `exec(compile(${JSON.stringify(names.map(readGuestText).join('\n'))}, "<runner>", "exec"), ${space})`;
  return [
    'import builtins as _b, types as _t',
    '_shims = _t.ModuleType("__shims__")',
    '_shims.__builtins__ = dict(_b.__dict__)',
    run(['streams.py', 'turns.py', 'maxsize.py'], '_shims.__dict__'),
    '_shims.streams, _shims.turns = _shims._Streams(), _shims._Turns()',
    '_shims._widen_maxsize()',
    '_space = {"__builtins__": dict(_b.__dict__), "__name__": "__runner__", "_shims": _shims}',
    run(['harden.py', 'tests.py', 'trial.py', 'runner.py', 'start.py'], '_space'),
    'def _finish():',
    '    global __run_job',
    '    __run_job = _space["_finish"]()',
    '    for own in ("_b", "_t", "_shims", "_space", "_finish"): del globals()[own]',
  ].join('\n');
}

/** A hash of everything on which a snapshot depends. */
export function snapshotKey(): string {
  const hash = createHash('sha256');
  hash.update(`${process.versions.v8} ${process.arch} `);
  hash.update(readFileSync(PYODIDE));
  hash.update(runnerProgram());
  hash.update(readGuestText('shims.js'));
  return hash.digest('hex').slice(0, 24);
}
