/**
 * Test helpers: a server with a real judge and a domain `held`, whose verdicts wait until the test releases them; and raw
 * connections, to send bytes that no client library would send. Leaves out: assertions.
 */
import { connect, type Socket } from 'node:net';
import { openDomains } from '@cipo/verifier/domains';
import { type Domain, judged, TaskError, voided } from '@cipo/verifier/types';
import { createJudge, type Judge } from '../../judge.ts';
import { createLog, type Route, type RunningServer, type ServeOptions, serve } from '../index.ts';

export const TOKEN = 'a-token-of-these-tests';

export function mathRow(reference: string, answer = reference, id = `${reference}=${answer}`) {
  return { id, domain: 'math', answer: reference, response: `So it is \\boxed{${answer}}.` };
}

/** A domain whose verdicts wait: a row `{domain: 'held', response}` is judged when {@link HeldDomain.release} is called. */
class HeldDomain implements Domain<string> {
  readonly name = 'held';
  readonly #waiting: (() => void)[] = [];
  /** Responses in the order in which their verification started. */
  readonly started: string[] = [];
  aborted = 0;

  parse(row: unknown) {
    const { id } = row as { id?: unknown };
    if (typeof id !== 'string') throw new TaskError('id', 'must be a string', id);
    return { id, domain: this.name, prompt: [], reference: 'the secret reference' };
  }

  async verify(_task: unknown, { text }: { readonly text: string }, signal?: AbortSignal) {
    this.started.push(text);
    const aborted = await new Promise<boolean>((resolve) => {
      this.#waiting.push(() => resolve(false));
      signal?.addEventListener('abort', () => resolve(true));
    });
    if (!aborted) return verdictFor(text);
    this.aborted += 1;
    return voided('aborted', 'aborted by the test');
  }

  /** Releases `count` verdicts, oldest first. Default: all that wait now. */
  release(count: number = this.#waiting.length): void {
    for (const resolve of this.#waiting.splice(0, count)) resolve();
  }

  get waiting(): number {
    return this.#waiting.length;
  }
}

/** `correct` is accepted, `fail` is an infrastructure failure, all else is incorrect with one diagnostic per audience. */
function verdictFor(text: string) {
  if (text === 'fail') return voided('infra', 'the path /srv/secret is missing');
  if (text === 'correct') return judged('accepted');
  return judged('wrong_answer', [
    { code: 'wrong-answer', audience: 'policy', message: 'the answer is incorrect' },
    { code: 'wrong-answer', audience: 'operator', message: 'the secret reference' },
  ]);
}

export function heldRow(response: string, id = response) {
  return { id, domain: 'held', response };
}

export interface TestServer extends AsyncDisposable {
  readonly server: RunningServer;
  readonly held: HeldDomain;
  /** Lines of the access log, parsed. */
  readonly logged: Record<string, unknown>[];
  post(body: unknown, headers?: Record<string, string>, query?: string): Promise<Response>;
  /** Sends bytes and returns all bytes received until the server closes the connection or `until` matches. */
  raw(bytes: string | Buffer, until?: RegExp): Promise<string>;
  /** Opens a connection to write to step by step. */
  open(): Connection;
  /** The value of a metric; `name` includes its labels. */
  metric(name: string): Promise<number>;
}

/** Starts a server for one test. Its judge starts no sandbox before a row needs it. */
export async function startTestServer(
  options: Partial<ServeOptions> = {},
  routes?: readonly Route[],
): Promise<TestServer> {
  const held = new HeldDomain();
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

/** A raw connection and everything received on it. */
class Connection {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  text = '';

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
    });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    // The server may reset the connection after its reply; what was received before counts.
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

/** Waits until the condition is true. The time limit of the test ends the wait. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
