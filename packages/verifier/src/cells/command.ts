/**
 * The command line that starts a cell: Node with its permission model on, wrapped in `prlimit` and
 * `setpriv` where the machine has them. Leaves out all supervision: see `cell.ts`.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CellSpec } from './types.ts';

const PRLIMIT = findTool('prlimit');
const SETPRIV = findTool('setpriv');
/** What addon loaders look at to tell musl from glibc. */
const LIBC_HINTS = ['/etc/alpine-release', '/usr/bin/ldd'];

/** Lets the script of a plug-in import this package, wherever the plug-in is. */
const PACKAGE_FALLBACK = sibling(import.meta.url, '../domains/install-fallback');

/** Program and arguments for `spawn`. */
export function cellCommand(spec: CellSpec): { readonly file: string; readonly args: string[] } {
  const script = fileURLToPath(spec.entry);
  const node = [process.execPath, ...nodeFlags(spec, script), script, ...(spec.args ?? [])];
  const [file, ...args] = [...limitWrapper(spec), ...parentWrapper(), ...node];
  return { file: file!, args };
}

/** A child must not outlive the thread that owns it, even when that thread's process is SIGKILLed. */
function parentWrapper(): string[] {
  return SETPRIV ? [SETPRIV, '--pdeathsig', 'KILL', '--no-new-privs', '--'] : [];
}

function limitWrapper(spec: CellSpec): string[] {
  if (!PRLIMIT) return [];
  const data = (spec.dataMb ?? 2560) * 1024 * 1024;
  return [PRLIMIT, `--data=${data}`, '--core=0', '--fsize=0', '--nofile=256'];
}

function nodeFlags(spec: CellSpec, script: string): string[] {
  // A plug-in's script needs this package too, which may be linked to it from anywhere.
  const ours = moduleRoots(fileURLToPath(import.meta.url));
  const readable = new Set([
    ...moduleRoots(script),
    ...ours,
    ...LIBC_HINTS,
    ...(spec.readable ?? []),
  ]);
  return [
    '--no-node-snapshot', // isolated-vm aborts without it
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning', // an addon under the permission model is what we want
    '--permission',
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
  let inPackage = false;
  while (folder !== dirname(folder)) {
    if (!inPackage && existsSync(join(folder, 'package.json'))) {
      roots.add(folder);
      inPackage = true;
    }
    const modules = join(folder, 'node_modules');
    if (existsSync(modules)) roots.add(realpathSync(modules));
    folder = dirname(folder);
  }
  if (!inPackage) roots.add(dirname(realpathSync(script)));
  return [...roots];
}

function findTool(name: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  return ['/usr/bin', '/bin', '/usr/local/bin'].map((d) => join(d, name)).find(existsSync);
}

/**
 * URL of a module beside the caller, in the form that the caller itself has: `.ts` from source,
 * `.js` when built. `sibling(import.meta.url, './cell')`.
 */
export function sibling(base: string, path: string): string {
  return new URL(`${path}${base.endsWith('.ts') ? '.ts' : '.js'}`, base).href;
}
