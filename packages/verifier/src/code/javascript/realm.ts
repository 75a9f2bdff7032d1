/**
 * A fresh world for one program: a context of its own with the guest in it, in an isolate that a few
 * programs may share one after another. An isolate that has seen a limit, an odd end or much memory is
 * given up. Limits and verdicts are `run.ts`'s business.
 */
import type ivm from 'isolated-vm';
import { lastWords } from '../../cells/serve.ts';
import { loadIsolatedVm } from '../runtimes.ts';
import { ARRIVAL, guestSnapshot } from './guest.ts';

const isolatedVm = loadIsolatedVm();
const SNAPSHOT = guestSnapshot();

/** Programs that an isolate may see: making one costs three times what a context costs. */
const MAX_PROGRAMS = 40;
/** Share of its memory that an isolate may still hold when it takes the next program. */
const MAX_HELD = 0.4;

/** What a driver entry answers: a kind and up to four texts. */
export type GuestReply = readonly [kind: string, ...texts: string[]];

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

type Drive = ivm.Reference<(...args: never[]) => unknown>;

/** An isolate whose contexts start with the guest in them. */
interface Vessel {
  readonly memoryMb: number;
  readonly isolate: ivm.Isolate;
  readonly arrival: ivm.Script;
  programs: number;
}

let vessel: Vessel | undefined;

function vesselFor(memoryMb: number): Vessel {
  if (vessel && (vessel.memoryMb !== memoryMb || vessel.isolate.isDisposed)) giveUp();
  if (vessel) return vessel;
  const isolate = new isolatedVm.Isolate({
    memoryLimit: memoryMb,
    snapshot: SNAPSHOT,
    onCatastrophicError: goDown,
  });
  vessel = { memoryMb, isolate, arrival: isolate.compileScriptSync(ARRIVAL), programs: 0 };
  return vessel;
}

function giveUp(): void {
  if (vessel && !vessel.isolate.isDisposed) vessel.isolate.dispose();
  vessel = undefined;
}

export class Realm {
  readonly memoryMb: number;
  readonly #vessel: Vessel;
  readonly #context: ivm.Context;
  readonly #drive: Drive;

  constructor(memoryMb: number) {
    this.memoryMb = memoryMb;
    this.#vessel = vesselFor(memoryMb);
    this.#vessel.programs++;
    this.#context = this.#vessel.isolate.createContextSync();
    this.#drive = this.#vessel.arrival.runSync(this.#context, { reference: true }) as Drive;
  }

  /** True once the isolate has been given up, which is how isolated-vm answers to a memory limit. */
  get lost(): boolean {
    return this.#vessel.isolate.isDisposed;
  }

  /** True when other programs have been in this isolate: a memory limit may not be this one's doing. */
  get worn(): boolean {
    return this.#vessel.programs > 1;
  }

  /** @throws {SyntaxError} with `[file:line:column]` at the end of its message. */
  check(source: string, filename: string): void {
    this.#vessel.isolate.compileScriptSync(source, { filename }).release();
  }

  /** Calls a driver entry. Throws what isolated-vm throws: time, memory, an unhandled rejection. */
  enter(name: EntryName, args: readonly (string | number | boolean)[], timeoutMs: number): unknown {
    return this.#drive.applySync(undefined, [name, ...args] as never[], {
      timeout: timeoutMs,
      arguments: { copy: true },
      result: { copy: true },
    });
  }

  /** @param clean the program came to its end by itself, so that the isolate can take another */
  dispose(clean: boolean): void {
    const { isolate, programs } = this.#vessel;
    if (isolate.isDisposed) return;
    if (!clean || programs >= MAX_PROGRAMS || heldShare(isolate) > MAX_HELD) {
      if (vessel === this.#vessel) giveUp();
      else isolate.dispose();
      return;
    }
    this.#drive.release();
    this.#context.release();
  }
}

function heldShare(isolate: ivm.Isolate): number {
  const { used_heap_size, externally_allocated_size, heap_size_limit } =
    isolate.getHeapStatisticsSync();
  return (used_heap_size + externally_allocated_size) / heap_size_limit;
}

/** V8 is lost for good: say why, then end the process, for the handler must not return. */
function goDown(message: string): void {
  lastWords(`memory: ${message}`);
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 5);
}
