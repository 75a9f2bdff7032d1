/** Writes any model that loads, such as a GGUF file, as a Hugging Face folder that `transformers` loads. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type FloatType, openModel, writeFolder } from '@cipo/engine';
import { FileError } from '../errors.ts';
import { saveTokenizer } from './tokenizer.ts';

/** Options of {@link convertModel}. */
export interface ConvertOptions {
  /** Number type of the written weights. Default F32; half precision rounds them. */
  readonly type?: FloatType;
  /** Called before each tensor with the number of tensors done and their total. */
  readonly onTensor?: (done: number, total: number) => void;
}

/**
 * Converts the model in `from`, a Hugging Face folder or GGUF file, to the new folder `directory`. Reads one tensor at
 * a time: memory use is that of the largest tensor.
 * @throws {FileError} if `directory` exists; an error that names the file if the model cannot be read. A failed
 * conversion leaves no folder.
 */
export async function convertModel(
  from: string,
  directory: string,
  { type = 'F32', onTensor }: ConvertOptions = {},
): Promise<void> {
  if (existsSync(directory)) {
    throw new FileError(`${directory}: exists already; name a new folder`);
  }
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
