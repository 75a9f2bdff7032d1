/** How a backend that is missing can be had; docs/guide/backends.md has it at length. */

import type { ExecutorName } from './types.ts';

const driver =
  "a GPU driver with Vulkan 1.3 (libvulkan1 and the vendor's driver, or mesa-vulkan-drivers 25), Metal or D3D12";

const advice: Readonly<Record<string, string>> = {
  'onnx cpu': 'install onnxruntime-node for this platform',
  'onnx webgpu': `needs ${driver}`,
  'tfjs tensorflow':
    'npm install @tensorflow/tfjs-node, or @tensorflow/tfjs-node-gpu with CUDA 11.2; where libtensorflow cannot be fetched, build it on the one of a TensorFlow wheel (docs/guide/backends.md)',
  'tfjs webgpu': `npm install webgpu @tensorflow/tfjs-backend-webgpu; needs ${driver}`,
};

/** Undefined for what this package brings. */
export const howToGet = (executor: ExecutorName, backend: string): string | undefined =>
  advice[`${executor} ${backend}`];
