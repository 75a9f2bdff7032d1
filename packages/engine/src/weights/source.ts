/** A source of tensors: one file, several, or a quantized one. Each tensor is read on demand. */

import { EngineError } from '../errors.ts';
import type { Shape } from '../ops.ts';

/** Shape of a tensor in a file, and why it cannot be read, if so. */
export interface TensorEntry {
  readonly shape: Shape;
  /** The file of the tensor, for messages. */
  readonly path: string;
  /** Why the tensor cannot be read, if so: an unknown type. */
  readonly flaw?: string;
}

/** Reads the tensors of a model on demand. */
export interface TensorSource {
  /** For messages. */
  readonly path: string;
  /** Tensors by Hugging Face name. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Reads a tensor as float32.
   * @throws EngineError `file` naming file and tensor, if the type is unknown or the file ends before
   */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * The step count saved with tensors.
 * @throws EngineError `file` naming the file, if it is not a count
 */
export function stepsOf({ path, metadata }: Pick<TensorSource, 'path' | 'metadata'>): number {
  const { steps } = metadata;
  if (steps !== undefined && /^\d+$/.test(steps) && Number.isSafeInteger(Number(steps)))
    return Number(steps);
  throw new EngineError(
    'file',
    `${path}: steps: expected a whole number of at least 0, got ${JSON.stringify(steps)}`,
  );
}
