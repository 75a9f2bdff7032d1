/** `cipo domain`: the files of a new domain, and the link through which it finds `@cipo/verifier`. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isTaskError } from '@cipo/verifier/types';
import { Command } from 'commander';
import { EXIT, UserError } from '../errors.ts';
import { shortPath } from '../terminal/lines.ts';

const EXAMPLES = `
Examples:
  $ cipo domain init chess
  $ cipo domain init chess --dir domains/chess
  $ cipo verify --domain ./chess/chess.ts chess/rows.jsonl

docs/guide/domains.md explains what a domain is.`;

export function domainCommand(): Command {
  const command = new Command('domain')
    .summary('create a domain: your own kind of task')
    .description(
      'Creates a domain: a module that reads rows of your own kind of task and judges responses.',
    )
    .addHelpText('after', EXAMPLES);
  command
    .command('init')
    .description('Write a small working domain with a contract test, sample rows and a README.')
    .argument('<name>', 'name of the domain: a-z, 0-9, - and _')
    .option('--dir <dir>', 'folder to write to (default: a new folder of that name)')
    .action(init);
  command
    .command('link')
    .description('Link @cipo/verifier into node_modules, for the contract test and for editors.')
    .argument('[dir]', 'folder of the domain', '.')
    .action(link);
  return command;
}

async function init(name: string, flags: { readonly dir?: string }): Promise<void> {
  const files = await domainFiles(name);
  const folder = resolve(flags.dir ?? name);
  const existing = Object.keys(files).filter((file) => existsSync(join(folder, file)));
  if (existing.length > 0) {
    const message = `${shortPath(folder)} already has ${existing.join(', ')}. Choose another folder with --dir.`;
    throw new UserError(message, EXIT.usage);
  }
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  linkVerifier(folder);
  process.stdout.write(
    [
      `Wrote ${Object.keys(files).join(', ')} to ${shortPath(folder)}. Next:`,
      `  cd ${shortPath(folder)}`,
      '  node --test',
      `  cipo verify --domain ./${name}.ts rows.jsonl`,
      `  cipo train --domain ./${name}.ts --model DIR --set tasks.train=rows.jsonl`,
      '',
    ].join('\n'),
  );
}

async function domainFiles(name: string): Promise<Readonly<Record<string, string>>> {
  const { createDomainFiles } = await import('@cipo/verifier/domains');
  try {
    return createDomainFiles(name);
  } catch (error) {
    if (!isTaskError(error)) throw error;
    throw new UserError(error.message, EXIT.usage, { cause: error });
  }
}

function link(directory: string): void {
  const folder = resolve(directory);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UserError(`There is no folder ${shortPath(folder)}.`, EXIT.usage);
  }
  const state = linkVerifier(folder) ? 'linked into' : 'already installed in';
  process.stdout.write(`@cipo/verifier is ${state} ${shortPath(join(folder, 'node_modules'))}\n`);
}

/** Links the running `@cipo/verifier`. @returns false if a real copy is installed there: it stays */
function linkVerifier(folder: string): boolean {
  const path = join(folder, 'node_modules', '@cipo', 'verifier');
  const present = lstatSync(path, { throwIfNoEntry: false });
  if (present !== undefined && !present.isSymbolicLink()) return false;
  rmSync(path, { force: true });
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(packageFolder('@cipo/verifier'), path, 'junction');
  return true;
}

/** The nearest folder above an entry point that has a manifest. */
function packageFolder(name: string): string {
  let folder = dirname(fileURLToPath(import.meta.resolve(name)));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
