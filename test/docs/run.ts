/**
 * Runs the snippets of one page in a temporary folder. It links the packages, examples and data of the repository. A
 * process that a snippet leaves running (a server, say) is available to the next snippets and ends with the page.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { PageFile, Program } from './snippets.ts';

export const ROOT = new URL('../..', import.meta.url).pathname;
const SHARED = ['node_modules', 'examples', 'datasets', 'integrations', 'package.json'];

/** How a snippet ended. */
export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class Page {
  readonly directory = mkdtempSync(join(tmpdir(), 'cipo-docs-'));
  readonly #groups: number[] = [];
  /** Free ports by the ports that the page names, which may be in use. */
  readonly #ports: ReadonlyMap<string, number>;

  static async open(files: readonly PageFile[], programs: readonly Program[]): Promise<Page> {
    const named = programs.flatMap(({ text }) => [...text.matchAll(/--port (\d+)/g)]);
    const ports = named.map(async ([, port]) => [port!, await freePort()] as const);
    return new Page(files, new Map(await Promise.all(ports)));
  }

  constructor(files: readonly PageFile[], ports: ReadonlyMap<string, number> = new Map()) {
    this.#ports = ports;
    for (const name of SHARED) symlinkSync(join(ROOT, name), join(this.directory, name));
    for (const { name, text } of files) writeFileSync(join(this.directory, name), text);
  }

  /** Runs one snippet until its process exits. Its background processes keep running. */
  async run(program: Program): Promise<Outcome> {
    const [out, err] = ['out', 'err'].map((n) => join(this.directory, `.${n}-${program.line}`));
    const handles = [openSync(out!, 'w'), openSync(err!, 'w')];
    const [file, args] = this.#command(program);
    const child = spawn(file, args, {
      cwd: this.directory,
      detached: true, // a new process group, so that its children can be ended with it
      stdio: ['ignore', ...handles],
      env: {
        ...process.env,
        PATH: [join(ROOT, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
        NO_COLOR: '1',
        CI: '1',
      },
    });
    if (child.pid) this.#groups.push(child.pid);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve); // not `close`: a background server keeps the outputs open
    });
    handles.forEach(closeSync);
    return { code, out: readFileSync(out!, 'utf8'), err: readFileSync(err!, 'utf8') };
  }

  #command({ language, line, text: original }: Program): [string, string[]] {
    const text = original.replace(/\b\d{4,5}\b/g, (n) => String(this.#ports.get(n) ?? n));
    if (language === 'sh') return ['bash', ['-euo', 'pipefail', '-c', text]];
    const path = join(this.directory, `line-${line}.${language}`);
    writeFileSync(path, text);
    return [process.execPath, [path]];
  }

  async close(): Promise<void> {
    for (const group of this.#groups) {
      try {
        process.kill(-group, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
