/** `cipo version`: the same as `cipo --version`. */
import { Command } from 'commander';
import { readVersion } from '../version.ts';

export function versionCommand(): Command {
  return new Command('version').description('print the version').action(() => {
    process.stdout.write(`${readVersion()}\n`);
  });
}
