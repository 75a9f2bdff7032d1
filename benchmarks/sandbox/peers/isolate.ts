/** An alternative to cells: a thread that runs each attempt in a new isolate of the same process. */
import { createRequire } from 'node:module';
import type { Context } from '../../../packages/verifier/node_modules/isolated-vm/isolated-vm.js';
import { guestScript } from '../../../packages/verifier/src/code/javascript/guest.ts';

// The package belongs to the verifier, not to the root.
const verifier = new URL('../../../packages/verifier/src/', import.meta.url);
const ivm: typeof import('../../../packages/verifier/node_modules/isolated-vm/isolated-vm.js') =
  createRequire(verifier)('isolated-vm');

export interface PeerJob {
  readonly code: string;
  readonly calls: readonly string[];
  /** Whether to load the guest of the cells. A bare isolate does not protect its results from the program. */
  readonly guest: boolean;
}

const PRELUDE = guestScript();

export default function run({ code, calls, guest }: PeerJob): string[] {
  const isolate = new ivm.Isolate({ memoryLimit: 64 });
  try {
    const context = isolate.createContextSync();
    return guest ? withGuest(context, code, calls) : bare(context, code, calls);
  } finally {
    isolate.dispose();
  }
}

function bare(context: Context, code: string, calls: readonly string[]): string[] {
  context.evalSync(code, { timeout: 1000 });
  return calls.map((args) =>
    String(context.evalSync(`JSON.stringify(f(...${args}))`, { timeout: 1000 })),
  );
}

function withGuest(context: Context, code: string, calls: readonly string[]): string[] {
  const drive = context.evalSync(`${PRELUDE}()`, { reference: true });
  const enter = (name: string, args: unknown[]) =>
    drive.applySync(undefined, [name, ...args], {
      timeout: 1000,
      arguments: { copy: true },
      result: { copy: true },
    });
  enter('prepare', ['', 1 << 20, false]);
  enter('load', [`(function (exports, require, module) {${code}\n;return [f];})`]);
  return calls.map((args) => String(enter('call', ['f', args])));
}
