/**
 * The values of `--domain`, an option of every command that judges. `math` or `code` is the domain of rows that name
 * none; any other value is a plug-in, by file or package, that provides domains.
 */
import { resolve } from 'node:path';
import { isPath } from '@cipo/verifier/domains';

const BUILT_IN = ['math', 'code'];

interface ChosenDomains {
  /** Modules to load. Files have absolute paths, so that a run can be resumed from any folder. */
  readonly plugins: readonly string[];
  /** Domain of rows that name none. */
  readonly domain: string | undefined;
}

export function chooseDomains(names: readonly string[] = []): ChosenDomains {
  const plugins = names.filter((name) => !BUILT_IN.includes(name));
  return {
    plugins: plugins.map((name) =>
      isPath(name) && !name.startsWith('file:') ? resolve(name) : name,
    ),
    domain: names.findLast((name) => BUILT_IN.includes(name)),
  };
}
