/**
 * Lets a plug-in import the running `@cipo` packages from any folder. Normal resolution comes first; only if it fails
 * is a specifier `@cipo/...` resolved again, from this package and from the program that was started.
 * Leaves out: every other package, which a plug-in must install itself.
 */
import { realpathSync } from 'node:fs';
import nodeModule, { type ResolveFnOutput, type ResolveHookContext } from 'node:module';
import { pathToFileURL } from 'node:url';

/** What plug-in errors add if this Node cannot resolve the running packages. */
export const FALLBACK_UNAVAILABLE =
  'this Node cannot resolve it to the copy of cipo (22.15 or newer can): install the package beside the plug-in';

type Next = (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput;

/** Permission errors count: a sandboxed process may not read the folders in which Node searches. */
const NOT_FOUND = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_ACCESS_DENIED'];

let installed = false;

/**
 * Installs the resolver once for the whole process.
 * @returns false on Node 20 and 22.14 and older, which have no synchronous module hooks
 */
export function installPackageFallback(): boolean {
  if (!canHookModules()) return false;
  if (!installed) nodeModule.registerHooks({ resolve: resolveWithFallback });
  installed = true;
  return true;
}

/** Whether this Node has `module.registerHooks`. */
export function canHookModules(): boolean {
  return typeof nodeModule.registerHooks === 'function';
}

function resolveWithFallback(
  specifier: string,
  context: ResolveHookContext,
  next: Next,
): ResolveFnOutput {
  if (!specifier.startsWith('@cipo/')) return next(specifier, context);
  try {
    return next(specifier, context);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    for (const parentURL of runningModules()) {
      try {
        return next(specifier, { ...context, parentURL });
      } catch (other) {
        if (!isNotFound(other)) throw other; // such as a subpath that the package does not export
      }
    }
    throw error; // the first one names the file with the import
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NOT_FOUND.includes(String(error.code));
}

/** Modules whose packages are lent: this one, and the started program, which may have more `@cipo` packages. */
function runningModules(): string[] {
  const program = process.argv[1];
  return [import.meta.url, ...(program === undefined ? [] : urlOf(program))];
}

function urlOf(path: string): string[] {
  try {
    return [pathToFileURL(realpathSync(path)).href];
  } catch {
    return []; // not a file, as with `node -e`
  }
}
