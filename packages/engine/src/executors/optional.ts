/** Loads the packages that the executors need. All are optional: a user installs those of the executor that they use. */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { EngineError } from '../errors.ts';

/**
 * How to install each package, with versions that work together. onnxruntime-node comes with its CPU and WebGPU
 * libraries; its install script only downloads CUDA libraries, from nuget.org, and fails if that is out of reach.
 */
const INSTALL_COMMANDS = {
  'onnxruntime-node': 'npm install --ignore-scripts onnxruntime-node@1.30.0',
  '@tensorflow/tfjs': 'npm install @tensorflow/tfjs@4.22.0',
  '@tensorflow/tfjs-backend-wasm':
    'npm install @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0',
  '@tensorflow/tfjs-backend-webgpu':
    'npm install @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-webgpu@4.22.0 webgpu@0.6.2',
  '@tensorflow/tfjs-node': 'npm install @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-node@4.22.0',
  '@tensorflow/tfjs-node-gpu':
    'npm install @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-node-gpu@4.22.0',
  webgpu: 'npm install @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-webgpu@4.22.0 webgpu@0.6.2',
} as const;

export type OptionalPackage = keyof typeof INSTALL_COMMANDS;

/** The command that installs an optional package, with the packages that it needs. */
export function installCommand(name: OptionalPackage): string {
  return INSTALL_COMMANDS[name];
}

/** Path of a package: beside this one, in the working directory of the process, or along NODE_PATH. */
export function resolveOptional(name: string): string | undefined {
  for (const base of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return createRequire(base).resolve(name);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return undefined;
}

/**
 * Loads an optional CommonJS package.
 * @throws EngineError `unavailable` with the command that installs it
 */
export function requireOptional<M>(name: OptionalPackage): M {
  const path = resolveOptional(name);
  if (path === undefined) {
    throw new EngineError(
      'unavailable',
      `the package ${name} is not installed; install it with: ${installCommand(name)}`,
    );
  }
  return createRequire(import.meta.url)(path);
}

function isNotFound(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED')
  );
}
