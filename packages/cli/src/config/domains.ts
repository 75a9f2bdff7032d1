/**
 * `--domain`: the same option for every command that judges. The name of a domain that is built in is the
 * one of rows that name none; anything else is a plug-in, a file or a package, that brings domains.
 */
import { resolve } from 'node:path';
import { isPath } from '@cipo/verifier/domains';

const BUILT_IN = ['math', 'code'];

export interface ChosenDomains {
  /** Modules to load; files as absolute paths, so that a resumed run finds them from anywhere. */
  readonly plugins: readonly string[];
  /** Domain of rows that name none. */
  readonly domain: string | undefined;
}

export function chosenDomains(written: readonly string[] = []): ChosenDomains {
  const plugins = written.filter((name) => !BUILT_IN.includes(name));
  return {
    plugins: plugins.map((name) =>
      isPath(name) && !name.startsWith('file:') ? resolve(name) : name,
    ),
    domain: written.findLast((name) => BUILT_IN.includes(name)),
  };
}
