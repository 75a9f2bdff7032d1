/**
 * Packs the packages and installs the tarballs as a user does: into an empty folder outside the workspace, with plain npm
 * and without the workspace's environment.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..');
/** Variables of npm that a user may have set too; all others come from the command that runs the tests. */
const USER_SETTINGS = /^npm_config_(registry|cafile|https?_proxy|proxy|noproxy|cache|userconfig)$/i;
const INHERITED = /^(HOME|USER|LANG|TMPDIR|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS|.*_proxy)$/i;

export const scratch = mkdtempSync(join(tmpdir(), 'cipo-release-'));

export function removeScratch(): void {
  rmSync(scratch, { recursive: true, force: true });
}

/** Builds and packs every package. @returns the tarball of each by its short name (`verifier`) */
export async function packAll(): Promise<ReadonlyMap<string, string>> {
  const folder = join(scratch, 'tarballs');
  mkdirSync(folder);
  const pnpm = ['-y', 'pnpm@12.21.0', '-r', '--filter', './packages/*'];
  const options = { cwd: ROOT, maxBuffer: 64 * 2 ** 20 };
  await promisify(execFile)('npx', [...pnpm, 'run', 'build'], options);
  await promisify(execFile)('npx', [...pnpm, 'pack', '--pack-destination', folder], options);
  return new Map(
    readdirSync(folder).map((file) => [
      file.replace(/^cipo-(.*)-\d+\.\d+\.\d+.*\.tgz$/, '$1'),
      join(folder, file),
    ]),
  );
}

/**
 * Installs tarballs in a project by `npm install`. The overrides keep npm from asking the registry for our names, which
 * are not published: a slow answer would fail the test. @returns megabytes that the project's node_modules take
 */
export function installTarballs(
  project: string,
  names: Iterable<string>,
  tarballs: ReadonlyMap<string, string>,
): Promise<number> {
  const dependencies = Object.fromEntries(
    [...names].map((name) => [`@cipo/${name}`, `file:${tarballs.get(name)}`]),
  );
  const overrides = Object.fromEntries(
    [...tarballs].map(([name, path]) => {
      const full = `@cipo/${name}`;
      return [full, full in dependencies ? `$${full}` : `file:${path}`];
    }),
  );
  const manifest = { private: true, type: 'module', dependencies, overrides };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  return npmInstall(project);
}

/** An empty project in a folder of its own. */
export function emptyProject(name: string): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  return folder;
}

/** Runs `npm install` with these packages in a project. @returns megabytes that the project's node_modules take */
export async function npmInstall(project: string, ...packages: string[]): Promise<number> {
  await runNpm(project, ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages]);
  return Math.round(sizeOf(join(project, 'node_modules')) / 1e6);
}

/** A registry may leave a request without an answer: npm alone would wait for five minutes. */
const NPM_TRIES = 3;
const NPM_TRY_MS = 150_000;

/** Runs npm in a project, again if it does not end in time. @throws if the last try fails */
export async function runNpm(project: string, args: readonly string[]): Promise<void> {
  for (let tries = NPM_TRIES; ; tries -= 1) {
    try {
      await runIn(project, 'npm', args, { timeoutMs: NPM_TRY_MS });
      return;
    } catch (error) {
      if (tries === 1) throw error;
    }
  }
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. @throws unless `mayFail` is set and the command fails, with what it printed */
export function runIn(
  folder: string,
  command: string,
  args: readonly string[],
  { node = process.execPath, mayFail = false, timeoutMs = 0 } = {},
): Promise<Finished> {
  const env = userEnvironment(node);
  const child = spawn(command, args, { cwd: folder, env, timeout: timeoutMs });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (part) => {
    stdout += part;
  });
  child.stderr.on('data', (part) => {
    stderr += part;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0 || mayFail) resolve({ code, stdout, stderr });
      else
        reject(
          new Error(`${command} ${args.join(' ')} exited with ${code}:\n${stdout}\n${stderr}`),
        );
    });
  });
}

/** The environment of a user's shell in which `node` is this one. */
export function userEnvironment(node: string = process.execPath): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => USER_SETTINGS.test(name) || INHERITED.test(name),
  );
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.startsWith(ROOT));
  return {
    npm_config_prefer_offline: 'true',
    npm_config_fetch_timeout: '60000',
    ...Object.fromEntries(kept),
    PATH: [dirname(node), ...path].join(delimiter),
  };
}

/** Bytes of all files below a folder. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
