/**
 * A Python process that answers JSON lines with JSON lines. CIPO_PEER_PYTHON names the Python; default: the virtual
 * environment of setup-peer.sh.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * Path of a Python with torch, transformers and peft.
 * @throws naming the script that installs one
 */
export function peerPython(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const python = process.env.CIPO_PEER_PYTHON ?? join(cache, 'cipo-bench/torch/bin/python');
  if (!existsSync(python))
    throw new Error(`no ${python}: run benchmarks/engine/setup-peer.sh, or set CIPO_PEER_PYTHON`);
  return python;
}

export class Peer {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  /** @param script beside this file */
  constructor(script: string, threads: number) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const env = {
      ...process.env,
      OMP_NUM_THREADS: String(threads),
      TOKENIZERS_PARALLELISM: 'false',
    };
    this.#process = spawn(peerPython(), [path], { env });
    this.#process.stderr.pipe(process.stderr);
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** @throws if the process has ended, with its stderr */
  async ask<Answer>(request: unknown): Promise<Answer> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the Python peer has ended without an answer');
    return JSON.parse(value);
  }

  close(): void {
    this.#process.stdin.end();
  }
}
