/**
 * Chooses the files of a repository that a model needs.
 * Leaves out: weights in other formats, pictures, code.
 */

import { basename } from 'node:path';
import { EngineError } from '../errors.ts';

export interface RemoteFile {
  readonly path: string;
  readonly size: number;
  /** Expected hash of its bytes: SHA-256 for large files, git's SHA-1 for the others. */
  readonly digest: { readonly kind: 'sha256' | 'git'; readonly hex: string };
}

/** Small files that describe the model; required ones first. */
const DESCRIPTIONS = [
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'generation_config.json',
  'chat_template.jinja',
  'special_tokens_map.json',
];
const ADAPTER_FILES = ['adapter_config.json', 'adapter_model.safetensors'];
const SINGLE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';

export interface Choice {
  /** Downloaded first: they show whether the model can be loaded. */
  readonly descriptions: readonly RemoteFile[];
  /** Downloaded next. The list of shards is read from the index first. */
  readonly weights: readonly RemoteFile[];
}

type Files = ReadonlyMap<string, RemoteFile>;
function those(files: Files, names: readonly string[]): RemoteFile[] {
  return names.flatMap((name) => files.get(name) ?? []);
}

/**
 * @param wanted a GGUF file of the repository, instead of the folder
 * @throws EngineError `file` naming what the repository has instead
 */
export function chooseFiles(files: Files, where: string, wanted?: string): Choice {
  if (wanted !== undefined) return { descriptions: [], weights: [ggufFile(files, where, wanted)] };
  const adapter = those(files, ADAPTER_FILES);
  if (!files.has('config.json') && adapter.length === ADAPTER_FILES.length)
    return { descriptions: adapter.slice(0, 1), weights: adapter.slice(1) };
  const missing = DESCRIPTIONS.slice(0, 3).filter((name) => !files.has(name));
  if (missing.length > 0)
    throw new EngineError('file', `${where}: no ${missing.join(', ')}.${instead(files)}`);
  if (!files.has(SINGLE) && !files.has(INDEX_FILE))
    throw new EngineError(
      'file',
      `${where}: no weights as safetensors, neither ${SINGLE} nor ${INDEX_FILE}.${instead(files)}`,
    );
  const weights = files.has(SINGLE) ? [SINGLE] : [];
  const index = files.has(SINGLE) ? [] : [INDEX_FILE];
  return {
    descriptions: those(files, [...DESCRIPTIONS, ...index]),
    weights: those(files, weights),
  };
}

/**
 * The shards of an index.
 * @throws EngineError `file` if it names a file that the repository does not have
 */
export function shardsOf(files: Files, where: string, index: unknown): RemoteFile[] {
  const map: unknown = Object(index).weight_map;
  const names = [...new Set(Object.values(Object(map)))];
  if (names.length === 0) throw new EngineError('file', `${where}: ${INDEX_FILE} lists no shards`);
  return names.map((name) => {
    const file = typeof name === 'string' ? files.get(name) : undefined;
    if (!file || file.path !== basename(file.path))
      throw new EngineError(
        'file',
        `${where}: ${INDEX_FILE} names ${JSON.stringify(name)}, which is not there`,
      );
    return file;
  });
}

function ggufFile(files: Files, where: string, name: string): RemoteFile {
  const file = files.get(name);
  if (file && name === basename(name) && name.toLowerCase().endsWith('.gguf')) return file;
  throw new EngineError('file', `${where}: no GGUF file "${name}".${instead(files)}`);
}

function instead(files: Files): string {
  const ggufs = [...files.keys()].filter((name) => name.toLowerCase().endsWith('.gguf'));
  if (ggufs.length > 0)
    return ` It has GGUF files; name one with --file: ${ggufs.slice(0, 20).join(', ')}`;
  const pickles = [...files.keys()].some((name) => /\.(bin|pt|pth)$/.test(name));
  return pickles ? ' Its weights are pickles, which are programs and are not loaded.' : '';
}
