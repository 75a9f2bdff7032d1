/** The families of models that load, by `model_type`. */
import { EngineError } from '../../errors.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';
import type { Architecture } from './types.ts';

export type { Architecture, Traits } from './types.ts';

export const architectures: readonly Architecture[] = [llama, mistral, qwen2, qwen3];

/** @throws naming the type and those that are supported */
export function architectureOf(modelType: string): Architecture {
  const found = architectures.find((known) => known.modelType === modelType);
  if (found) return found;
  const known = architectures.map((known) => known.modelType).join(', ');
  throw new EngineError(
    'config',
    `model_type "${modelType}" is not supported; these are: ${known}`,
  );
}
