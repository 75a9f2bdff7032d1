/**
 * Boots Pyodide inside an isolate, either to take a snapshot of its memory or, from one, sealed and
 * ready to run jobs. After sealing no callback into this process is left in the isolate.
 */
import type ivm from 'isolated-vm';
import { lastWords } from '../../cells/serve.ts';
import { loadIsolatedVm } from '../runtimes.ts';
import {
  cappedWasm,
  guestBytes,
  guestFile,
  pyodideFile,
  pyodideModule,
  runnerProgram,
} from './assets.ts';

const isolatedVm = loadIsolatedVm();

/** JavaScript's own heap in the isolate; Python's memory is the wasm memory beside it. */
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

/** A sealed interpreter. Everything goes through these three. */
export interface Interpreter {
  /** Runs one job; throws what isolated-vm throws at a time or memory limit. */
  run(job: string, maxBytes: number, timeoutMs: number): string;
  /** A file for the next job to read, at a path below its folder. {@link restore} takes it away. */
  put(path: string, bytes: Uint8Array): void;
  /** Puts the memory back; answers its size in bytes. */
  restore(): number;
  readonly lost: boolean;
  dispose(): void;
}

/** The memory of a freshly started interpreter with the runner in it. */
export async function makeSnapshot(): Promise<Uint8Array> {
  const { isolate, context } = await boot(4096, undefined);
  const program = JSON.stringify(runnerProgram());
  await context.eval(`__py.runPython(${program})`, { timeout: BOOT_MS });
  const bytes: Uint8Array = await context.eval('__py.makeMemorySnapshot()', { copy: true });
  isolate.dispose();
  return bytes;
}

export async function startInterpreter(
  snapshot: Uint8Array,
  memoryMb: number,
): Promise<Interpreter> {
  const { isolate, context } = await boot(memoryMb, snapshot);
  const sealed = context.evalSync(guestFile('seal.js'), { reference: true, timeout: BOOT_MS });
  const run = sealed.getSync('run', { reference: true });
  const restore = sealed.getSync('restore', { reference: true });
  const put = sealed.getSync('put', { reference: true });
  return {
    run: (job, maxBytes, timeoutMs) =>
      String(run.applySync(undefined, [job, maxBytes], { timeout: timeoutMs })),
    put: (path, bytes) => put.applySync(undefined, [path, moved(bytes)], { timeout: 5000 }),
    restore: () => Number(restore.applySync(undefined, [], { timeout: 5000 })),
    get lost() {
      return isolate.isDisposed;
    },
    dispose: () => {
      if (!isolate.isDisposed) isolate.dispose();
    },
  };
}

async function boot(memoryMb: number, snapshot: Uint8Array | undefined) {
  const isolate = new isolatedVm.Isolate({ memoryLimit: ISOLATE_MB, onCatastrophicError: goDown });
  const context = await isolate.createContext();
  await furnish(context, memoryMb, snapshot);
  await loadModules(isolate, context);
  const options = snapshot ? '{ _loadSnapshot: __snapshot }' : '{ _makeSnapshot: true }';
  const booted = context.eval(`__boot(${options}).then(() => 'ready')`, { promise: true });
  await pump(context, booted);
  return { isolate, context };
}

/** What the boot reads: three files and the snapshot. The seal takes all of it away again. */
async function furnish(context: ivm.Context, memoryMb: number, snapshot: Uint8Array | undefined) {
  const wasm = cappedWasm(memoryMb);
  const library = pyodideFile('python_stdlib.zip');
  const empty = new Uint8Array();
  const read = (path: string) =>
    moved(path.endsWith('.wasm') ? wasm : path.endsWith('.zip') ? library : empty);
  await context.global.set('__readFile', new isolatedVm.Callback(read));
  await context.global.set('read', new isolatedVm.Callback(() => '{}'));
  const { info } = JSON.parse(pyodideFile('pyodide-lock.json').toString('utf8'));
  await context.global.set('__lock', JSON.stringify({ info, packages: {} }));
  if (snapshot) await context.global.set('__snapshot', moved(snapshot));
  await context.global.set('__restorer', moved(guestBytes('restore.wasm')));
  await context.eval('globalThis.readbuffer = (path) => __readFile(path)');
  await context.eval(guestFile('shims.js'));
}

function moved(bytes: Uint8Array): ivm.Copy<ArrayBuffer> {
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

/** The isolate's timers only run when they are told to. */
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

function goDown(message: string): void {
  lastWords(`memory: ${message}`);
  process.kill(process.pid, 'SIGKILL');
}
