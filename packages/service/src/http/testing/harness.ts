/**
 * For tests: a server over a real judge, whose plug-in domain `held` answers when the test says so; and raw connections
 * for what no client library would send. Leaves out: assertions.
 */
import { connect, type Socket } from 'node:net';
import { openDomains } from '@cipo/verifier/domains';
import { type Domain, judged, TaskError, voided } from '@cipo/verifier/types';
import { createJudge, type Judge } from '../../judge.ts';
import { createLog, type Route, type RunningServer, type ServeOptions, serve } from '../index.ts';

export const TOKEN = 'a-token-of-these-tests';

export const mathRow = (answer: string, said = answer, id = `${answer}=${said}`) => ({
  id,
  domain: 'math',
  answer,
  response: `So it is \\boxed{${said}}.`,
});

/** A domain whose verdicts wait: `{domain: 'held', response}` is judged when {@link Held.release} is called. */
export class Held implements Domain<string> {
  readonly name = 'held';
  readonly #waiting: (() => void)[] = [];
  /** Responses in the order in which their judging began. */
  readonly begun: string[] = [];
  aborted = 0;

  parse(row: unknown) {
    const { id } = row as { id?: unknown };
    if (typeof id !== 'string') throw new TaskError('id', 'must be text', id);
    return { id, domain: this.name, prompt: [], reference: 'the secret reference' };
  }

  async verify(_task: unknown, { text }: { readonly text: string }, signal?: AbortSignal) {
    this.begun.push(text);
    const aborted = await new Promise<boolean>((resolve) => {
      this.#waiting.push(() => resolve(false));
      signal?.addEventListener('abort', () => resolve(true));
    });
    if (!aborted) return said(text);
    this.aborted += 1;
    return voided('aborted', 'asked to stop');
  }

  /** Lets so many verdicts come, oldest first. Default: all that wait now. */
  release(count: number = this.#waiting.length): void {
    for (const go of this.#waiting.splice(0, count)) go();
  }

  get waiting(): number {
    return this.#waiting.length;
  }
}

/** `right` passes; `trouble` is ours; everything else is wrong, with a finding for each audience. */
function said(text: string) {
  if (text === 'trouble') return voided('infra', 'the path /srv/secret is missing');
  if (text === 'right') return judged('accepted');
  return judged('wrong_answer', [
    { code: 'wrong-answer', audience: 'policy', message: 'not that' },
    { code: 'wrong-answer', audience: 'operator', message: 'the secret reference' },
  ]);
}

export const heldRow = (response: string, id = response) => ({ id, domain: 'held', response });

export interface Bench extends AsyncDisposable {
  readonly server: RunningServer;
  readonly held: Held;
  /** What was written to the access log, one object a line. */
  readonly logged: Record<string, unknown>[];
  post(body: unknown, headers?: Record<string, string>, query?: string): Promise<Response>;
  /** All bytes that come back for these bytes, until the server closes or `until` has come. */
  raw(bytes: string | Buffer, until?: RegExp): Promise<string>;
  /** A connection to write to bit by bit. */
  open(): Connection;
  /** The value of a metric without labels, or with these. */
  metric(name: string): Promise<number>;
}

/** A server of its own for one test. Its judge starts no sandboxes before a row needs them. */
export async function bench(
  options: Partial<ServeOptions> = {},
  routes?: readonly Route[],
): Promise<Bench> {
  const held = new Held();
  const builtIn = await openDomains({ workers: 1 });
  const domains = {
    ...builtIn,
    get: (name: string) => (name === 'held' ? (held as Domain) : builtIn.get(name)),
  };
  const judge: Judge = await createJudge({ domains });
  const logged: Record<string, unknown>[] = [];
  const log = createLog('json', { write: (line) => logged.push(JSON.parse(line)) });
  const parts = { judge: { ...judge, ready: () => judge.ready([]) }, log };
  const server = await serve(routes ? { ...parts, routes } : parts, { port: 0, ...options });
  return {
    server,
    held,
    logged,
    post: (body, headers = {}, query = '') =>
      fetch(`${server.url}/v1/verify${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    raw: (bytes, until) => exchangeBytes(server.port, bytes, until),
    open: () => new Connection(server.port),
    metric: (name) => readMetric(server.url, name, options.tokens?.[0]),
    async [Symbol.asyncDispose]() {
      held.release();
      await server.close();
      await builtIn.close();
    },
  };
}

async function readMetric(url: string, name: string, token?: string): Promise<number> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  const line = text.split('\n').find((it) => it.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? Number.NaN);
}

/** A raw connection and all that came back on it. */
export class Connection {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  text = '';

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
    });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    // A reset after the reply is the server's right: what had come before it counts.
    this.socket.on('error', () => undefined);
  }
}

async function exchangeBytes(
  port: number,
  bytes: string | Buffer,
  until?: RegExp,
): Promise<string> {
  const connection = new Connection(port);
  connection.socket.on('data', () => {
    if (until?.test(connection.text)) connection.socket.destroy();
  });
  connection.socket.write(bytes);
  await connection.closed;
  return connection.text;
}

/** Waits for what the test expects to become true; the test's own time limit ends it. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
