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

type Entry = ivm.Reference<(...args: never[]) => unknown>;

export class Realm {
  readonly memoryMb: number;
  readonly #isolate: ivm.Isolate;
  readonly #entries: Readonly<
    Record<'prepare' | 'load' | 'call' | 'poll' | 'drain' | 'stdout', Entry>
  >;

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
    const entry = (name: string) => driver.getSync(name, { reference: true }) as Entry;
    this.#entries = {
      prepare: entry('prepare'),
      load: entry('load'),
      call: entry('call'),
      poll: entry('poll'),
      drain: entry('drain'),
      stdout: entry('stdout'),
    };
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
  enter(
    name: 'prepare' | 'load' | 'call' | 'poll' | 'drain' | 'stdout',
    args: readonly (string | number)[],
    timeoutMs: number,
  ): unknown {
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
