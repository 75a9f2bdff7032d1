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

const INIT_EXAMPLES = `
Examples:
  $ cipo domain init chess
  $ cipo domain init chess --dir domains/chess`;

const LINK_EXAMPLES = `
Examples:
  $ cipo domain link                  in the folder of the domain
  $ cipo domain link domains/chess`;

export function domainCommand(): Command {
  const command = new Command('domain')
    .summary('create a domain: your own kind of task')
    .description(
      'Creates a domain: a module that reads rows of your own kind of task and judges responses.',
    )
    .addHelpText('after', EXAMPLES);
  command
    .command('init')
    .summary('write a small working domain')
    .description('Writes a small working domain with a contract test, sample rows and a README.')
    .argument('<name>', 'name of the domain: a-z, 0-9, - and _')
    .option('--dir <dir>', 'folder to write to (default: a new folder of that name)')
    .addHelpText('after', INIT_EXAMPLES)
    .action(init);
  command
    .command('link')
    .summary('link @cipo/verifier into node_modules')
    .description('Links @cipo/verifier into node_modules, for the contract test and for editors.')
    .argument('[dir]', 'folder of the domain', '.')
    .addHelpText('after', LINK_EXAMPLES)
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
      ...testLines(callersNode(process.env), process.execPath),
      `  npx cipo verify --domain ./${name}.ts rows.jsonl`,
      `  npx cipo train --domain ./${name}.ts --model DIR --set tasks.train=rows.jsonl`,
      '',
    ].join('\n'),
  );
}

/**
 * The Node version of the user. It may be older than the running one: npx puts the Node of the workspace first in PATH,
 * and bin/cipo.js starts another Node if its own is too old.
 */
export function callersNode(environment: Readonly<Record<string, string | undefined>>): string {
  const npm = /node\/v(\S+)/.exec(environment.npm_config_user_agent ?? '')?.[1];
  return npm ?? environment.CIPO_CALLERS_NODE ?? process.versions.node;
}

/** How to run the contract test. An older Node finds no TypeScript test and reports success. @param running path of a Node that can */
export function testLines(version: string, running: string): string[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return ['  node --test'];
  return [
    `  ${running} --test`,
    `    (the test needs Node 22.18 or newer; \`node\` is ${version} and would find no test)`,
  ];
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
