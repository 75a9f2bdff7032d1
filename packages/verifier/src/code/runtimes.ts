/**
 * Finds the runtimes that code verdicts need: isolated-vm, SWC, Pyodide and lodash. They come with the optional package
 * `@cipo/sandbox-runtimes`, so that a user of the math verifier does not install 70 MB of sandbox.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type ivm from 'isolated-vm';

const RUNTIMES = '@cipo/sandbox-runtimes';
/** isolated-vm 7 has no binary for an older Node. */
const MIN_NODE_MAJOR = 24;

/**
 * Code cannot be verified in this process: the sandbox is not installed, or has no binary for this Node or platform.
 */
export class SandboxUnavailableError extends Error {
  override readonly name = 'SandboxUnavailableError';
}

/**
 * Checks that code can be verified here, without loading a runtime. Call it once at start: afterwards every attempt
 * would get the same void verdict.
 * @throws {SandboxUnavailableError} with the reason and the remedy in one sentence
 */
export function assertSandboxAvailable(): void {
  if (Number(process.versions.node.split('.')[0]) < MIN_NODE_MAJOR) {
    throw new SandboxUnavailableError(
      `code verdicts need Node ${MIN_NODE_MAJOR} or newer (isolated-vm has no binary for older ones), got Node ${process.versions.node}; math verdicts work here: import @cipo/verifier/math`,
    );
  }
  const require = runtimeRequire();
  try {
    const ivmFolder = dirname(require.resolve('isolated-vm/package.json'));
    const gypBuild = createRequire(require.resolve('isolated-vm')).resolve('node-gyp-build');
    require(gypBuild).resolve(ivmFolder);
  } catch (cause) {
    throw new SandboxUnavailableError(
      `code verdicts need isolated-vm, which has no binary for Node ${process.versions.node} on ${process.platform}-${process.arch}; supported: Linux x64 and arm64, macOS arm64, Windows x64, with Node 24 or 26`,
      { cause },
    );
  }
}

/** The folder of `@cipo/sandbox-runtimes`: a cell must be allowed to read it. */
export function runtimesFolder(): string {
  return dirname(runtimesManifest());
}

/**
 * `require` as seen from `@cipo/sandbox-runtimes`.
 * @throws {SandboxUnavailableError} if the package is not installed
 */
export function runtimeRequire(): NodeJS.Require {
  return createRequire(runtimesManifest());
}

/** Loads isolated-vm. Only a cell may do that: the addon must not be in the process that requests verdicts. */
export function loadIsolatedVm(): typeof ivm {
  return runtimeRequire()('isolated-vm');
}

function runtimesManifest(): string {
  try {
    return createRequire(import.meta.url).resolve(`${RUNTIMES}/package.json`);
  } catch (cause) {
    throw new SandboxUnavailableError(
      `code verdicts need the package ${RUNTIMES}, which is not installed: npm i ${RUNTIMES}`,
      { cause },
    );
  }
}
