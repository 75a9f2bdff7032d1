/**
 * The files that Python is made from: Pyodide's, as its npm package has them, and the guest's. Reads
 * and patches, runs nothing.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { runtimeRequire } from '../runtimes.ts';

const GUEST = new URL('../../../guest/python/', import.meta.url);
const PYODIDE = runtimeRequire().resolve('pyodide/package.json');
const PAGE_KB = 64;

/** The memory section of Pyodide's wasm module: one memory, 32-bit, from some to 65536 pages at most. */
const MEMORY_SECTION = Buffer.from('0101e003808004', 'hex');

export function pyodideFile(name: string): Buffer {
  return readFileSync(PYODIDE.replace(/package\.json$/, name));
}

export function guestFile(name: string): string {
  return readFileSync(new URL(name, GUEST), 'utf8');
}

export function guestBytes(name: string): Buffer {
  return readFileSync(new URL(name, GUEST));
}

/** How Pyodide loads a snapshot: all of it, pages of zeros too. */
const LOAD_SNAPSHOT = 'Module.HEAP8.set(t)';

/**
 * A module of Pyodide with a place in the world that it cannot ask about, and pages of zeros left out
 * of loading a snapshot.
 */
export function pyodideModule(name: 'pyodide.mjs' | 'pyodide.asm.mjs'): string {
  const text = pyodideFile(name).toString('utf8');
  const placed = text.replaceAll('import.meta.url', JSON.stringify(`file:///pyodide/${name}`));
  if (name === 'pyodide.mjs') return placed;
  if (!placed.includes(LOAD_SNAPSHOT)) {
    throw new Error('loading a snapshot in pyodide.asm.mjs is not as expected');
  }
  return placed.replace(LOAD_SNAPSHOT, '__copyPages(Module.HEAP8,t)');
}

/**
 * The wasm module with its memory capped, so that Python itself sees the limit as a MemoryError.
 * @throws {Error} when the section is not where this version of Pyodide has it
 */
export function cappedWasm(memoryMb: number): Buffer {
  const bytes = Buffer.from(pyodideFile('pyodide.asm.wasm'));
  const at = bytes.indexOf(MEMORY_SECTION);
  if (at < 0) throw new Error('the memory section of pyodide.asm.wasm is not as expected');
  const pages = Math.min(65_536, Math.max(512, Math.ceil((memoryMb * 1024) / PAGE_KB)));
  bytes[at + 4] = 0x80 | (pages & 0x7f);
  bytes[at + 5] = 0x80 | ((pages >> 7) & 0x7f);
  bytes[at + 6] = (pages >> 14) & 0x7f;
  return bytes;
}

/**
 * The Python program that becomes part of the snapshot. It lives in a namespace of its own, with
 * built-ins of its own, so that an answer which changes `builtins` changes nothing for it. What an
 * answer can reach of it lives in another, which does not lead to the first.
 */
export function runnerProgram(): string {
  const run = (names: readonly string[], space: string) =>
    `exec(compile(${JSON.stringify(names.map(guestFile).join('\n'))}, "<runner>", "exec"), ${space})`;
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

/** Changes with everything that a snapshot depends on. */
export function snapshotKey(): string {
  const hash = createHash('sha256');
  hash.update(`${process.versions.v8} ${process.arch} `);
  hash.update(readFileSync(PYODIDE));
  hash.update(runnerProgram());
  hash.update(guestFile('shims.js'));
  return hash.digest('hex').slice(0, 24);
}
