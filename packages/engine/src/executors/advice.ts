/** What a backend needs besides its packages (optional.ts has those); docs/guide/backends.md explains it. */

import type { ExecutorName } from './types.ts';

const DRIVER =
  "a GPU driver with Vulkan 1.3 (libvulkan1 and the vendor's driver, or mesa-vulkan-drivers 25), Metal or D3D12";

const ADVICE: Readonly<Record<string, string>> = {
  'onnx webgpu': `it needs ${DRIVER}`,
  'tfjs tensorflow':
    'the GPU package needs CUDA 11.2; if libtensorflow cannot be downloaded, build the package with the library of a TensorFlow wheel (docs/guide/backends.md)',
  'tfjs webgpu': `it needs ${DRIVER}`,
};

/** What else a backend needs; undefined if that is nothing. */
export function backendAdvice(executor: ExecutorName, backend: string): string | undefined {
  return ADVICE[`${executor} ${backend}`];
}
