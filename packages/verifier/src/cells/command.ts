/**
 * The command line that starts a cell: Node with its permission model, inside `prlimit` and `setpriv` where the machine
 * has them. Leaves out: supervision, see `cell.ts`.
 */
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MIB } from '@cipo/support';
import type { CellSpec } from './types.ts';

const PRLIMIT = findTool('prlimit');
const SETPRIV = findTool('setpriv');
/** Files that addon loaders read to tell musl from glibc. */
const LIBC_HINTS = ['/etc/alpine-release', '/usr/bin/ldd'];

/** The permission model has its final name since Node 22.13. */
const PERMISSION = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

/** A module that lets the script of a plug-in import this package, wherever the plug-in is. */
const PACKAGE_FALLBACK = sibling(import.meta.url, '../domains/install-fallback');

/** Program and arguments for `spawn`. */
export function cellCommand(spec: CellSpec): { readonly file: string; readonly args: string[] } {
  const script = fileURLToPath(spec.entry);
  const node = [process.execPath, ...nodeFlags(spec, script), script, ...(spec.args ?? [])];
  const [file = process.execPath, ...args] = [...limitWrapper(spec), ...parentWrapper(), ...node];
  return { file, args };
}

/** Kills the child when the thread that owns it ends, even if the process of that thread is killed by SIGKILL. */
function parentWrapper(): string[] {
  return SETPRIV ? [SETPRIV, '--pdeathsig', 'KILL', '--no-new-privs', '--'] : [];
}

function limitWrapper(spec: CellSpec): string[] {
  if (!PRLIMIT) return [];
  const dataBytes = (spec.dataMb ?? 2560) * MIB;
  return [PRLIMIT, `--data=${dataBytes}`, '--core=0', '--fsize=0', '--nofile=256'];
}

function nodeFlags(spec: CellSpec, script: string): string[] {
  // A plug-in's script loads this package too. It and what it imports may be linked from other folders.
  const ours = moduleRoots(fileURLToPath(import.meta.url));
  const support = moduleRoots(createRequire(import.meta.url).resolve('@cipo/support'));
  const readable = new Set([
    ...moduleRoots(script),
    ...ours,
    ...support,
    ...LIBC_HINTS,
    ...(spec.readable ?? []),
  ]);
  return [
    '--no-node-snapshot', // isolated-vm aborts without it
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning', // cells need an addon under the permission model
    PERMISSION,
    '--allow-addons',
    ...[...readable].map((path) => `--allow-fs-read=${path}`),
    ...(isWithin(script, ours) ? [] : [`--import=${PACKAGE_FALLBACK}`]),
    ...(spec.nodeFlags ?? []),
  ];
}

function isWithin(script: string, folders: readonly string[]): boolean {
  const path = realpathSync(script);
  return folders.some((folder) => path.startsWith(`${folder}${sep}`));
}

/** The package (else the folder) that holds the script, and every `node_modules` from there upwards. */
function moduleRoots(script: string): string[] {
  const roots = new Set<string>();
  let folder = dirname(realpathSync(script));
  let foundPackage = false;
  while (folder !== dirname(folder)) {
    if (!foundPackage && existsSync(join(folder, 'package.json'))) {
      roots.add(folder);
      foundPackage = true;
    }
    const modules = join(folder, 'node_modules');
    if (existsSync(modules)) roots.add(realpathSync(modules));
    folder = dirname(folder);
  }
  if (!foundPackage) roots.add(dirname(realpathSync(script)));
  return [...roots];
}

function findTool(name: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  return ['/usr/bin', '/bin', '/usr/local/bin'].map((d) => join(d, name)).find(existsSync);
}

/**
 * URL of a module beside the caller, with the caller's extension: `.ts` from source, `.js` when built.
 *
 * ```ts
 * const entry = sibling(import.meta.url, './cell');
 * ```
 */
export function sibling(base: string, path: string): string {
  return new URL(`${path}${base.endsWith('.ts') ? '.ts' : '.js'}`, base).href;
}
