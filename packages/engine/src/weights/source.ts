/** Where a model's tensors come from: one file, several, or a quantised one. Each is read when it is asked for. */

import { EngineError } from '../errors.ts';
import type { Shape } from '../ops.ts';

export interface TensorEntry {
  readonly shape: Shape;
  /** The file that holds it, for messages. */
  readonly path: string;
  /** Why it cannot be read, where it cannot: a type that is not known. */
  readonly flaw?: string;
}

export interface TensorSource {
  /** For messages. */
  readonly path: string;
  /** By Hugging Face name. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  /** In float32. @throws naming file and tensor where the type is unknown, or the file ends before */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Optimizer steps of what was saved with their count. @throws naming the file, where it is no count */
export function stepsOf({ path, metadata }: Pick<TensorSource, 'path' | 'metadata'>): number {
  const { steps } = metadata;
  if (steps !== undefined && /^\d+$/.test(steps) && Number.isSafeInteger(Number(steps)))
    return Number(steps);
  throw new EngineError(
    'file',
    `${path}: steps is ${JSON.stringify(steps)}, must be a whole number from 0`,
  );
}
