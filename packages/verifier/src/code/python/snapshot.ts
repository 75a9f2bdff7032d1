/**
 * Finds or makes the memory snapshot from which Python cells start. A separate child process makes it once. It is kept
 * in the cache folder of the user, or in a temporary folder if that is not writable. A snapshot in a read-only cache
 * folder (an image of a container) is used as it is.
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

/** Path of the snapshot. Makes the snapshot if there is none. @throws {Error} if it cannot be made */
export function snapshotPath(): Promise<string> {
  pending ??= findOrMake().catch((error) => {
    pending = undefined;
    throw error;
  });
  return pending;
}

async function findOrMake(): Promise<string> {
  const name = `python-${snapshotKey()}.snapshot`;
  const cached = join(cacheFolder(), name);
  if (existsSync(cached)) return cached;
  const path = join(writableFolder(), name);
  await makeFile(path);
  return path;
}

/** Runs in a separate process: it needs other V8 flags, and its memory is freed when it ends. */
async function makeFile(path: string): Promise<void> {
  const script = fileURLToPath(sibling(import.meta.url, './make-snapshot'));
  const flags = ['--no-node-snapshot', '--disable-warning=ExperimentalWarning'];
  const draft = `${path}.${process.pid}`;
  await promisify(execFile)(process.execPath, [...flags, script, draft], {
    env: { TZ: 'UTC' },
    timeout: 120_000,
  });
  renameSync(draft, path); // if two processes do this, the last rename wins, and both files are complete
}

function cacheFolder(): string {
  const cache =
    process.env.XDG_CACHE_HOME ??
    (process.platform === 'darwin' ? join(homedir(), 'Library/Caches') : join(homedir(), '.cache'));
  return join(cache, 'cipo');
}

/** The cache folder, or a new temporary folder if that is not writable. */
function writableFolder(): string {
  const folder = cacheFolder();
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
