/**
 * Boots Pyodide inside an isolate, either to take a snapshot of its memory, or from a snapshot to run jobs. In the
 * second case `guest/python/seal.js` seals it: no callback into this process is left in the isolate.
 */
import type ivm from 'isolated-vm';
import { reportDeath } from '../../cells/serve.ts';
import { loadIsolatedVm } from '../runtimes.ts';
import {
  cappedWasm,
  pyodideModule,
  readGuestBytes,
  readGuestText,
  readPyodideFile,
  runnerProgram,
} from './assets.ts';

const isolatedVm = loadIsolatedVm();

/** The JavaScript heap of the isolate. Python's memory is the wasm memory beside it. */
const ISOLATE_MB = 256;
const BOOT_MS = 60_000;

const DRIVER = `
import { loadPyodide } from 'pyodide';
import createPyodideModule from 'asm';
globalThis.__boot = async (options) => {
  globalThis.__py = await loadPyodide({
    indexURL: '/pyodide/',
    createPyodideModule,
    lockFileContents: globalThis.__lock,
    packageBaseUrl: '/none/',
    jsglobals: Object.create(null),
    stdout: () => {},
    stderr: () => {},
    stdin: () => null,
    env: { PYTHONHASHSEED: '0', HOME: '/home/pyodide' },
    ...options,
  });
};`;

/** A sealed interpreter. */
export interface Interpreter {
  /** Runs one job, JSON in and JSON out. Throws what isolated-vm throws at a time or memory limit. */
  run(job: string, maxReplyBytes: number, timeoutMs: number): string;
  /** Puts a file for the next job at a path below its folder. {@link restore} removes it. */
  put(path: string, bytes: Uint8Array): void;
  /** Restores the memory to the snapshot. Returns its size in bytes. */
  restore(): number;
  /** Whether the isolate is disposed, by a memory limit. */
  readonly isLost: boolean;
  dispose(): void;
}

/** Boots an interpreter with the runner in it, and returns its memory. */
export async function makeSnapshot(): Promise<Uint8Array> {
  const { isolate, context } = await boot(4096, undefined);
  const program = JSON.stringify(runnerProgram());
  await context.eval(`__py.runPython(${program})`, { timeout: BOOT_MS });
  const bytes: Uint8Array = await context.eval('__py.makeMemorySnapshot()', { copy: true });
  isolate.dispose();
  return bytes;
}

/** Starts a sealed interpreter from a snapshot. */
export async function startInterpreter(
  snapshot: Uint8Array,
  memoryMb: number,
): Promise<Interpreter> {
  const { isolate, context } = await boot(memoryMb, snapshot);
  const sealed = context.evalSync(readGuestText('seal.js'), { reference: true, timeout: BOOT_MS });
  const run = sealed.getSync('run', { reference: true });
  const restore = sealed.getSync('restore', { reference: true });
  const put = sealed.getSync('put', { reference: true });
  return {
    run: (job, maxReplyBytes, timeoutMs) =>
      String(run.applySync(undefined, [job, maxReplyBytes], { timeout: timeoutMs })),
    put: (path, bytes) => put.applySync(undefined, [path, transfer(bytes)], { timeout: 5000 }),
    restore: () => Number(restore.applySync(undefined, [], { timeout: 5000 })),
    get isLost() {
      return isolate.isDisposed;
    },
    dispose: () => {
      if (!isolate.isDisposed) isolate.dispose();
    },
  };
}

async function boot(memoryMb: number, snapshot: Uint8Array | undefined) {
  const isolate = new isolatedVm.Isolate({
    memoryLimit: ISOLATE_MB,
    onCatastrophicError: dieOutOfMemory,
  });
  const context = await isolate.createContext();
  await provideFiles(context, memoryMb, snapshot);
  await loadModules(isolate, context);
  const options = snapshot ? '{ _loadSnapshot: __snapshot }' : '{ _makeSnapshot: true }';
  const booted = context.eval(`__boot(${options}).then(() => 'ready')`, { promise: true });
  await pump(context, booted);
  return { isolate, context };
}

/** Gives the isolate what the boot reads: three files and the snapshot. The seal removes all of it. */
async function provideFiles(
  context: ivm.Context,
  memoryMb: number,
  snapshot: Uint8Array | undefined,
) {
  const wasm = cappedWasm(memoryMb);
  const library = readPyodideFile('python_stdlib.zip');
  const empty = new Uint8Array();
  const read = (path: string) =>
    transfer(path.endsWith('.wasm') ? wasm : path.endsWith('.zip') ? library : empty);
  await context.global.set('__readFile', new isolatedVm.Callback(read));
  await context.global.set('read', new isolatedVm.Callback(() => '{}'));
  const { info } = JSON.parse(readPyodideFile('pyodide-lock.json').toString('utf8'));
  await context.global.set('__lock', JSON.stringify({ info, packages: {} }));
  if (snapshot) await context.global.set('__snapshot', transfer(snapshot));
  await context.global.set('__restorer', transfer(readGuestBytes('restore.wasm')));
  await context.eval('globalThis.readbuffer = (path) => __readFile(path)');
  await context.eval(readGuestText('shims.js'));
}

function transfer(bytes: Uint8Array): ivm.Copy<ArrayBuffer> {
  const own = new Uint8Array(bytes).buffer;
  return new isolatedVm.ExternalCopy(own).copyInto({ transferIn: true, release: true });
}

async function loadModules(isolate: ivm.Isolate, context: ivm.Context): Promise<void> {
  const module = (code: string, name: string) =>
    isolate.compileModule(code, { filename: `file:///pyodide/${name}` });
  const pyodide = await module(pyodideModule('pyodide.mjs'), 'pyodide.mjs');
  const asm = await module(pyodideModule('pyodide.asm.mjs'), 'pyodide.asm.mjs');
  const driver = await module(DRIVER, 'driver.mjs');
  await driver.instantiate(context, (name) => (name === 'pyodide' ? pyodide : asm));
  await driver.evaluate();
}

/** Runs the timers of the isolate until `work` settles: they do not run by themselves. */
async function pump(context: ivm.Context, work: Promise<unknown>): Promise<void> {
  let open = true;
  const done = work.finally(() => {
    open = false;
  });
  done.catch(() => undefined); // awaited below
  while (open) {
    await new Promise((resolve) => setImmediate(resolve));
    if (open) await context.eval('__pump()');
  }
  await done;
}

function dieOutOfMemory(message: string): void {
  reportDeath(`memory: ${message}`);
  process.kill(process.pid, 'SIGKILL');
}
