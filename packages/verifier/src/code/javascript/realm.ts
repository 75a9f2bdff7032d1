/**
 * One fresh isolate with the guest in it: made ahead, used for one program, thrown away.
 * Limits and verdicts are `run.ts`'s business.
 */
import ivm from 'isolated-vm';
import { lastWords } from '../../cells/serve.ts';
import { guestScript } from './guest.ts';

const PRELUDE = guestScript();
let codeCache: ivm.ExternalCopy<ArrayBuffer> | undefined;

/** What a driver entry answers: a kind and up to four texts. */
export type GuestReply = readonly [kind: string, ...texts: string[]];

const ENTRIES = ['prepare', 'library', 'load', 'test', 'call', 'poll', 'drain', 'stdout'] as const;
export type EntryName = (typeof ENTRIES)[number];

type Entry = ivm.Reference<(...args: never[]) => unknown>;

export class Realm {
  readonly memoryMb: number;
  readonly #isolate: ivm.Isolate;
  readonly #entries: Readonly<Record<EntryName, Entry>>;

  constructor(memoryMb: number) {
    this.memoryMb = memoryMb;
    this.#isolate = new ivm.Isolate({ memoryLimit: memoryMb, onCatastrophicError: goDown });
    const context = this.#isolate.createContextSync();
    const script = this.#isolate.compileScriptSync(PRELUDE, {
      filename: 'guest.js',
      ...(codeCache ? { cachedData: codeCache } : { produceCachedData: true }),
    });
    codeCache ??= (script as ivm.CachedDataResult).cachedData;
    const driver = script.runSync(context, { reference: true });
    const entry = (name: EntryName) => driver.getSync(name, { reference: true }) as Entry;
    this.#entries = Object.fromEntries(ENTRIES.map((name) => [name, entry(name)])) as Record<
      EntryName,
      Entry
    >;
  }

  /** True once the isolate has been given up, which is how isolated-vm answers to a memory limit. */
  get lost(): boolean {
    return this.#isolate.isDisposed;
  }

  /** @throws {SyntaxError} with `[file:line:column]` at the end of its message. */
  check(source: string, filename: string): void {
    this.#isolate.compileScriptSync(source, { filename }).release();
  }

  /** Calls a driver entry. Throws what isolated-vm throws: time, memory, an unhandled rejection. */
  enter(name: EntryName, args: readonly (string | number | boolean)[], timeoutMs: number): unknown {
    return this.#entries[name].applySync(undefined, args as never[], {
      timeout: timeoutMs,
      arguments: { copy: true },
      result: { copy: true },
    });
  }

  dispose(): void {
    if (!this.#isolate.isDisposed) this.#isolate.dispose();
  }
}

/** V8 is lost for good: say why, then end the process, for the handler must not return. */
function goDown(message: string): void {
  lastWords(`memory: ${message}`);
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 5);
}
