/** Any model that loads, written as the Hugging Face folder that `transformers` loads: GGUF files above all. */

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { FloatType } from '@cipo/engine';
import { openModel, writeFolder } from '@cipo/engine';
import { saveTokenizer } from './tokenizer.ts';

export interface ConvertOptions {
  /** Of the weights written; absent: F32. Half precisions round. */
  readonly type?: FloatType;
  readonly onTensor?: (done: number, total: number) => void;
}

/**
 * Reads a tensor at a time: memory stays at the size of the largest.
 * @throws naming the file and what is wrong with it; where the folder is there already
 */
export async function convertModel(
  from: string,
  directory: string,
  { type = 'F32', onTensor }: ConvertOptions = {},
): Promise<void> {
  if (existsSync(directory)) throw new Error(`${directory} is there already`);
  const { config, source } = await openModel(from);
  try {
    await saveTokenizer(from, directory);
    let done = 0;
    const tensors = [...source.tensors]
      .filter(([name]) => name !== 'lm_head.weight' || !config.tie_word_embeddings)
      .map(([name, { shape }]) => ({
        name,
        shape,
        read: () => {
          onTensor?.(done++, source.tensors.size);
          return source.read(name);
        },
      }));
    await writeFolder(directory, config, tensors, { type });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  } finally {
    await source.close();
  }
}
