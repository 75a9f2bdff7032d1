/**
 * A fake hub with one repository on the loopback interface: the three routes that pulling requests, and the faults that
 * it must handle.
 */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeHub {
  readonly url: string;
  /** Requests for file contents, in order: path and range. */
  readonly asked: { readonly path: string; readonly range: string }[];
  /** Files by name; those above 1000 bytes are in Git LFS. */
  files: Record<string, Buffer>;
  /** The connection breaks after so many bytes of a file, once per list item. */
  breaks: Record<string, number[]>;
  /** Files whose range requests are ignored. */
  readonly deaf: Set<string>;
  /** Files with other bytes than announced. */
  readonly forged: Set<string>;
  /** Files that are refused, with a status. */
  readonly refused: Map<string, number>;
  /** Answers requests to this route with this body. */
  strange: { readonly route: 'revision' | 'tree'; readonly body: string } | undefined;
  /** Answers every request with this status. */
  status: number;
  close(): Promise<void>;
}

export const commit = 'c0ffee'.padEnd(40, '0');
export const model = 'someone/Tiny-Model';

export async function fakeHub(): Promise<FakeHub> {
  const hub: Omit<FakeHub, 'url' | 'close'> = {
    asked: [],
    files: {},
    breaks: {},
    deaf: new Set(),
    forged: new Set(),
    refused: new Map(),
    strange: undefined,
    status: 200,
  };
  const server = createServer((request, response) => answer(hub, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return Object.assign(hub, { url: `http://127.0.0.1:${port}`, close });
}

type State = Omit<FakeHub, 'url' | 'close'>;

function answer(hub: State, request: IncomingMessage, response: ServerResponse): void {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  const [api, rest] = [`/api/models/${model}/`, `/${model}/resolve/${commit}/`];
  const name = decodeURIComponent(path.slice(rest.length));
  if (hub.status !== 200) response.writeHead(hub.status).end();
  else if (hub.strange && path.startsWith(`${api}${hub.strange.route}/`))
    response.writeHead(200).end(hub.strange.body);
  else if (path === `${api}revision/main` || path === `${api}revision/v1.0`)
    json(response, { _id: '1', id: model, sha: commit });
  else if (path === `${api}tree/${commit}`) json(response, tree(hub));
  else if (path.startsWith(rest) && hub.files[name]) content(hub, request, response, name);
  else response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function tree({ files }: State) {
  return Object.entries(files).map(([path, data]) => ({
    type: 'file',
    path,
    size: data.length,
    oid: createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex'),
    ...(data.length > 1000 && {
      lfs: {
        oid: createHash('sha256').update(data).digest('hex'),
        size: data.length,
        pointerSize: 130,
      },
    }),
  }));
}

function content(hub: State, request: IncomingMessage, response: ServerResponse, name: string) {
  const data = hub.files[name]!;
  const range = request.headers.range ?? '';
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
  const isProbe = range === 'bytes=0-0';
  const refusal = hub.refused.get(name);
  if (!isProbe || refusal !== undefined) hub.asked.push({ path: name, range });
  if (refusal !== undefined) {
    response.writeHead(refusal).end();
    return;
  }
  const honored = first !== undefined && (isProbe || !hub.deaf.has(name));
  const [start, end] = honored
    ? [Number(first), last ? Number(last) + 1 : data.length]
    : [0, data.length];
  const sent = Buffer.from(data.subarray(start, end));
  if (!isProbe && hub.forged.has(name)) sent[sent.length - 1]! ^= 1;
  response.writeHead(honored ? 206 : 200, {
    etag: '"1"',
    'content-length': sent.length,
    ...(honored && { 'content-range': `bytes ${start}-${end - 1}/${data.length}` }),
  });
  const limit = isProbe ? undefined : hub.breaks[name]?.shift();
  if (limit === undefined) response.end(sent);
  else response.write(sent.subarray(0, limit), () => setTimeout(() => response.destroy(), 20));
}
