/**
 * The memory snapshot that Python cells start from: made once by a child process of its own and kept
 * in the user's cache folder, or in a temporary one where that cannot be written.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sibling } from '../../cells/index.ts';
import { snapshotKey } from './assets.ts';

let pending: Promise<string> | undefined;

/** Path of the snapshot, made on first use. @throws {Error} when it cannot be made */
export function snapshotPath(): Promise<string> {
  pending ??= findOrMake().catch((error) => {
    pending = undefined;
    throw error;
  });
  return pending;
}

async function findOrMake(): Promise<string> {
  const folder = writableFolder();
  const path = join(folder, `python-${snapshotKey()}.snapshot`);
  if (!existsSync(path)) await make(path);
  return path;
}

/** In a process of its own: V8 flags differ from ours, and its memory goes back afterwards. */
async function make(path: string): Promise<void> {
  const script = fileURLToPath(sibling(import.meta.url, './make-snapshot'));
  const flags = ['--no-node-snapshot', '--disable-warning=ExperimentalWarning'];
  const draft = `${path}.${process.pid}`;
  await promisify(execFile)(process.execPath, [...flags, script, draft], {
    env: { TZ: 'UTC' },
    timeout: 120_000,
  });
  renameSync(draft, path); // two makers may race: the last rename wins, both are whole
}

function writableFolder(): string {
  const cache =
    process.env.XDG_CACHE_HOME ??
    (process.platform === 'darwin' ? join(homedir(), 'Library/Caches') : join(homedir(), '.cache'));
  const folder = join(cache, 'cipo');
  try {
    mkdirSync(folder, { recursive: true });
    const probe = join(folder, `.probe-${process.pid}`);
    writeFileSync(probe, '');
    renameSync(probe, join(folder, '.probe'));
    return folder;
  } catch {
    return mkdtempSync(join(tmpdir(), 'cipo-'));
  }
}
