/**
 * @packageDocumentation
 * Downloads a model from the Hugging Face Hub into a folder, with `@huggingface/hub`: only the files that loading
 * needs, resumed where it stopped, each verified by the checksum of the hub.
 * Leaves out: uploading, and the xet protocol.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '@cipo/support';
import { downloadFile, HUB_URL, HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import { z } from 'zod';
import { EngineError } from '../errors.ts';
import { readJson } from '../json.ts';
import { parseModelConfig } from '../model/config.ts';
import { type Choice, chooseFiles, INDEX_FILE, type RemoteFile, shardsOf } from './choose.ts';
import { download, FinalError } from './download.ts';

/** Options of {@link pullModel}. */
export interface PullOptions {
  /** Branch, tag or commit; absent: `main`. */
  readonly revision?: string;
  /** Folder of the files; created if it does not exist. */
  readonly directory: string;
  /** A GGUF file of the repository, instead of the folder. */
  readonly file?: string;
  /** Address of the hub; absent: that of the library. */
  readonly hubUrl?: string;
  /** Access token, for private and gated models. */
  readonly accessToken?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly retries?: number;
  readonly waitMs?: number;
}

/** Progress of a download. */
export interface PullProgress {
  /** The file being downloaded. */
  readonly path: string;
  /** Bytes downloaded, of all known files. */
  readonly done: number;
  readonly total: number;
}

/** A downloaded model. */
export interface PulledModel {
  /** What to load: the folder, or the GGUF file in it. */
  readonly path: string;
  /** The commit that was downloaded. */
  readonly revision: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Downloads a model.
 * @throws EngineError naming the model and the reason: unknown, no access, not loadable, or a wrong checksum
 */
export async function pullModel(id: string, options: PullOptions): Promise<PulledModel> {
  if (!/^\w[\w.-]*\/\w[\w.-]*$/.test(id) || id.includes('..'))
    throw new EngineError('config', `model name: expected owner/name, got "${id}"`);
  const { hubUrl } = options;
  if (hubUrl !== undefined && !/^https?:$/.test(URL.parse(hubUrl)?.protocol ?? ''))
    throw new EngineError(
      'config',
      `hubUrl: expected an address with http:// or https://, got "${hubUrl}"`,
    );
  const hub = {
    repo: { type: 'model' as const, name: id },
    fetch: withSignal(options.signal),
    ...(hubUrl !== undefined && { hubUrl }),
    ...(options.accessToken !== undefined && { accessToken: options.accessToken }),
  };
  const revision = await explainErrors(id, options, () =>
    requireHub(id, options, async () => {
      const wanted = options.revision ?? 'main';
      const found = await modelInfo({
        ...hub,
        name: id,
        revision: wanted,
        additionalFields: ['sha'],
      });
      return commit.parse(found.sha);
    }),
  );
  const where = `${id} at ${revision.slice(0, 12)}`;
  const files = await explainErrors(id, options, () =>
    requireHub(id, options, () => remoteFiles({ ...hub, revision })),
  );
  const choice = chooseFiles(files, where, options.file);
  await mkdir(options.directory, { recursive: true });
  const fetched = await explainErrors(id, options, () =>
    fetchAll(choice, files, where, { ...options, hub: { ...hub, revision } }),
  );
  const bytes = fetched.reduce((sum, { size }) => sum + size, 0);
  await writeFile(join(options.directory, 'source.json'), source(id, revision, fetched));
  return {
    path: options.file === undefined ? options.directory : join(options.directory, options.file),
    revision,
    files: fetched.map(({ path }) => path),
    bytes,
  };
}

/** Records the source of the files in the folder. */
function source(model: string, revision: string, files: readonly RemoteFile[]) {
  return `${JSON.stringify({ model, revision, files: files.map(({ path, digest }) => ({ path, ...digest })) }, null, 2)}\n`;
}

const commit = z.string().min(1);

interface HubRevision {
  readonly repo: { type: 'model'; name: string };
  readonly revision: string;
  readonly fetch: typeof fetch;
  readonly hubUrl?: string;
  readonly accessToken?: string;
}

/** Files at the top of the repository; a model needs no others. */
async function remoteFiles(hub: HubRevision): Promise<Map<string, RemoteFile>> {
  const files = new Map<string, RemoteFile>();
  for await (const { type, path, size, oid, lfs } of listFiles(hub)) {
    if (type !== 'file') continue;
    if (lfs) files.set(path, { path, size: lfs.size, digest: { kind: 'sha256', hex: lfs.oid } });
    else if (oid) files.set(path, { path, size, digest: { kind: 'git', hex: oid } });
  }
  return files;
}

/** Small files first: a model that cannot be loaded is refused before gigabytes are downloaded. */
async function fetchAll(
  choice: Choice,
  files: ReadonlyMap<string, RemoteFile>,
  where: string,
  options: PullOptions & { readonly hub: HubRevision },
): Promise<RemoteFile[]> {
  const progress = new Progress(options.onProgress);
  for (const file of choice.descriptions) await fetchFile(file, progress, options);
  await checkLoads(choice, where, options.directory);
  const hasIndex = choice.descriptions.some(({ path }) => path === INDEX_FILE);
  const shards = hasIndex
    ? shardsOf(files, where, readJson(join(options.directory, INDEX_FILE)))
    : [];
  const weights = [...choice.weights, ...shards];
  progress.expect(weights);
  for (const file of weights) await fetchFile(file, progress, options);
  return [...choice.descriptions, ...weights];
}

async function checkLoads(choice: Choice, where: string, directory: string): Promise<void> {
  if (!choice.descriptions.some(({ path }) => path === 'config.json')) return;
  const text = await readFile(join(directory, 'config.json'), 'utf8');
  try {
    parseModelConfig(JSON.parse(text));
  } catch (cause) {
    throw new EngineError('file', `${where}: ${errorMessage(cause)}`, { cause });
  }
}

async function fetchFile(
  file: RemoteFile,
  progress: Progress,
  options: PullOptions & { readonly hub: HubRevision },
): Promise<void> {
  const from = async (start: number) => {
    const blob = await downloadFile({ ...options.hub, path: file.path, xet: false });
    if (!blob) throw new FinalError(`${file.path} no longer exists on the hub`);
    return (start === 0 ? blob : blob.slice(start)).stream();
  };
  progress.expect([file]);
  await download(file, from, {
    directory: options.directory,
    retries: options.retries ?? 5,
    waitMs: options.waitMs ?? 1000,
    onBytes: (done) => progress.report(file, done),
    ...(options.signal && { signal: options.signal }),
  });
}

class Progress {
  readonly #tell: PullOptions['onProgress'];
  readonly #sizes = new Map<string, number>();
  readonly #done = new Map<string, number>();

  constructor(tell: PullOptions['onProgress']) {
    this.#tell = tell;
  }
  expect(files: readonly RemoteFile[]): void {
    for (const { path, size } of files) this.#sizes.set(path, size);
  }
  report({ path }: RemoteFile, done: number): void {
    this.#done.set(path, done);
    this.#tell?.({ path, done: sum(this.#done), total: sum(this.#sizes) });
  }
}

function sum(sizes: ReadonlyMap<string, number>): number {
  return sizes.values().reduce((total, size) => total + size, 0);
}

function withSignal(signal: AbortSignal | undefined): typeof fetch {
  return (input, init) => fetch(input, { ...init, ...(signal && { signal }) });
}

/** Translates errors of the library when a login page of the network or another server answers instead of a hub. */
async function requireHub<T>(
  id: string,
  { hubUrl = HUB_URL }: PullOptions,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A broken connection is a TypeError too, but has a cause.
    const isStumble = error instanceof TypeError && error.cause === undefined;
    if (!isStumble && !(error instanceof SyntaxError) && !(error instanceof z.ZodError))
      throw error;
    throw new EngineError(
      'network',
      `${id}: ${hubUrl} does not answer like a hub; a login page of the network may intercept the request`,
      { cause: error },
    );
  }
}

/** Translates status codes of the hub into messages that say what to do. */
async function explainErrors<T>(
  id: string,
  options: PullOptions,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    options.signal?.throwIfAborted();
    const words = wordsFor(error, id, options);
    throw words === undefined ? error : new EngineError('network', words, { cause: error });
  }
}

function wordsFor(error: unknown, id: string, { revision, accessToken }: PullOptions) {
  if (error instanceof HubApiError) {
    const { statusCode } = error;
    const at = revision === undefined ? '' : ` with a revision ${revision}`;
    if (statusCode === 404) return `model ${id}${at} does not exist on the hub`;
    if (statusCode === 401 || statusCode === 403)
      return accessToken === undefined
        ? `${id} is private, wants an agreement, or does not exist; a token of yours in HF_TOKEN may help`
        : `${id}: the token in HF_TOKEN does not open it (${statusCode})`;
    return `${id}: the hub answered ${statusCode}: ${error.message}`;
  }
  const isNetwork = error instanceof TypeError && error.message === 'fetch failed';
  if (!isNetwork) return undefined;
  const reason = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${id}: the hub cannot be reached${reason}`;
}
