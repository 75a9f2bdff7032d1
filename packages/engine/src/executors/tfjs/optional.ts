/** Packages that a user may have: they are looked for and never required. */

import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Path of a package beside this one, in the project that this process was started in, or along NODE_PATH. */
export function resolveOptional(name: string): string | undefined {
  for (const base of [import.meta.url, join(process.cwd(), 'package.json')])
    try {
      return createRequire(base).resolve(name);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  return undefined;
}

const isNotFound = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED');
