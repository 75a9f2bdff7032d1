/**
 * A realm for one program: a new context with the guest in it. Some programs share an isolate one after another. An
 * isolate that has seen a limit or an abnormal end, or that holds much memory, is disposed. Leaves out: limits and
 * results, see `run.ts`.
 */
import type ivm from 'isolated-vm';
import { reportDeath } from '../../cells/serve.ts';
import { loadIsolatedVm } from '../runtimes.ts';
import { ARRIVAL, guestSnapshot } from './guest.ts';

const isolatedVm = loadIsolatedVm();
const SNAPSHOT = guestSnapshot();

/** How many programs an isolate serves. Making an isolate takes three times as long as making a context. */
const MAX_PROGRAMS = 40;
/** Share of its memory that an isolate may still hold if it is to serve another program. */
const MAX_HELD = 0.4;

/** What an entry of the driver returns: a kind and up to four strings. */
export type GuestReply = readonly [kind: string, ...texts: string[]];

/** The entries of the guest's driver; see `entries` in `guest/javascript/driver.js`. */
export type EntryName =
  | 'file'
  | 'prepare'
  | 'library'
  | 'load'
  | 'test'
  | 'call'
  | 'poll'
  | 'drain'
  | 'linger'
  | 'stdout'
  | 'stderr'
  | 'exitCode'
  | 'failed'
  | 'exited';

type Driver = ivm.Reference<(...args: never[]) => unknown>;

/** An isolate whose contexts start with the guest in them. */
interface SharedIsolate {
  readonly memoryMb: number;
  readonly isolate: ivm.Isolate;
  readonly arrival: ivm.Script;
  programs: number;
}

let shared: SharedIsolate | undefined;

function isolateFor(memoryMb: number): SharedIsolate {
  if (shared && (shared.memoryMb !== memoryMb || shared.isolate.isDisposed)) disposeShared();
  if (shared) return shared;
  const isolate = new isolatedVm.Isolate({
    memoryLimit: memoryMb,
    snapshot: SNAPSHOT,
    onCatastrophicError: dieOutOfMemory,
  });
  shared = { memoryMb, isolate, arrival: isolate.compileScriptSync(ARRIVAL), programs: 0 };
  return shared;
}

function disposeShared(): void {
  if (shared && !shared.isolate.isDisposed) shared.isolate.dispose();
  shared = undefined;
}

/** One context with the guest in it, and the driver that the cell calls. */
export class Realm {
  readonly memoryMb: number;
  readonly #shared: SharedIsolate;
  readonly #context: ivm.Context;
  readonly #driver: Driver;

  constructor(memoryMb: number) {
    this.memoryMb = memoryMb;
    this.#shared = isolateFor(memoryMb);
    this.#shared.programs++;
    this.#context = this.#shared.isolate.createContextSync();
    this.#driver = this.#shared.arrival.runSync(this.#context, { reference: true }) as Driver;
  }

  /** Whether the isolate is disposed. That is how isolated-vm reacts to its memory limit. */
  get isLost(): boolean {
    return this.#shared.isolate.isDisposed;
  }

  /** Whether other programs have used this isolate: then they may have caused a memory limit. */
  get isShared(): boolean {
    return this.#shared.programs > 1;
  }

  /**
   * Compiles a script without running it. @throws {SyntaxError} with `[file:line:column]` at the end of its message.
   */
  check(source: string, filename: string): void {
    this.#shared.isolate.compileScriptSync(source, { filename }).release();
  }

  /**
   * Calls an entry of the driver. Throws what isolated-vm throws: a timeout, a memory limit, an unhandled rejection.
   */
  enter(name: EntryName, args: readonly (string | number | boolean)[], timeoutMs: number): unknown {
    return this.#driver.applySync(undefined, [name, ...args] as never[], {
      timeout: timeoutMs,
      arguments: { copy: true },
      result: { copy: true },
    });
  }

  /** @param isClean whether the program ended by itself, so that the isolate can serve another */
  dispose(isClean: boolean): void {
    const { isolate, programs } = this.#shared;
    if (isolate.isDisposed) return;
    if (!isClean || programs >= MAX_PROGRAMS || heldShare(isolate) > MAX_HELD) {
      if (shared === this.#shared) disposeShared();
      else isolate.dispose();
      return;
    }
    this.#driver.release();
    this.#context.release();
  }
}

function heldShare(isolate: ivm.Isolate): number {
  const { used_heap_size, externally_allocated_size, heap_size_limit } =
    isolate.getHeapStatisticsSync();
  return (used_heap_size + externally_allocated_size) / heap_size_limit;
}

/** V8 cannot recover here. Reports the reason and ends the process, because this handler must not return. */
function dieOutOfMemory(message: string): void {
  reportDeath(`memory: ${message}`);
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 5);
}
