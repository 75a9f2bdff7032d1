/** The supported model families, by `model_type`. */
import { EngineError } from '../../errors.ts';
import { LLAMA } from './llama.ts';
import { MISTRAL } from './mistral.ts';
import { QWEN2 } from './qwen2.ts';
import { QWEN3 } from './qwen3.ts';
import type { Architecture } from './types.ts';

export type { Architecture, Traits } from './types.ts';

export const ARCHITECTURES: readonly Architecture[] = [LLAMA, MISTRAL, QWEN2, QWEN3];

/** @throws EngineError `config` naming the type and those that are supported */
export function architectureOf(modelType: string): Architecture {
  const found = ARCHITECTURES.find((known) => known.modelType === modelType);
  if (found) return found;
  const known = ARCHITECTURES.map((known) => known.modelType).join(', ');
  throw new EngineError(
    'config',
    `model_type "${modelType}" is not supported; these are: ${known}`,
  );
}
