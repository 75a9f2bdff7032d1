/** Loads onnxruntime-node when it is imported. Only the executors import it, and only when they are opened. */

import type * as OnnxRuntime from 'onnxruntime-node';
import { requireOptional } from '../optional.ts';

/** @throws EngineError `unavailable` on import, if the package is not installed */
export const ort: typeof OnnxRuntime = requireOptional('onnxruntime-node');

/** Name and version of the library, for descriptions. */
export function onnxLibrary(): string {
  return `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`;
}
