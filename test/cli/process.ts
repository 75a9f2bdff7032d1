/** Runs the command as a real process, for tests. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
export const BIN = join(ROOT, 'packages/cli/bin/cipo.js');

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Call {
  readonly args: readonly string[];
  readonly cwd: string;
  /** Path of another Node that starts the command. */
  readonly node?: string;
  /** A signal to send once, as soon as standard output contains the text. */
  readonly signalAt?: { readonly text: string; readonly signal: NodeJS.Signals };
}

/** Runs `cipo ...args` without color and waits for its end. */
export function cipo({ args, cwd, node = process.execPath, signalAt }: Call): Promise<Outcome> {
  const { FORCE_COLOR: _, ...rest } = process.env;
  const env = { ...rest, NO_COLOR: '1' };
  const child = spawn(node, [BIN, ...args], { cwd, env });
  let [out, err] = ['', ''];
  let sent = false;
  child.stdout.on('data', (chunk) => {
    out += chunk;
    if (!signalAt || sent || !out.includes(signalAt.text)) return;
    sent = true;
    child.kill(signalAt.signal);
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise((done) => {
    child.on('close', (code) => done({ code, out, err }));
  });
}
