/**
 * `cipo serve`: starts the server over a judge, and ends it without losing a verdict. Leaves out: the command that reads
 * flags (packages/cli), what a request passes through (`pipeline.ts`), the queue (`gate.ts`).
 */
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { cellCounts } from '@cipo/verifier/cells';
import type { FastifyInstance } from 'fastify';
import type { Judge } from '../judge.ts';
import { Room } from './body.ts';
import { Gate } from './gate.ts';
import { createLog, type Log } from './log.ts';
import { Metrics } from './metrics.ts';
import { type ServeOptions, serveOptions } from './options.ts';
import { Pipeline, type Shared } from './pipeline.ts';
import { probeRoutes } from './probes.ts';
import { ROUTES } from './registry.ts';
import type { Route } from './route.ts';
import { type RowWatch, watchRows } from './watch.ts';

/** What a server is made with beside its options. */
export interface ServeParts {
  readonly judge: Judge;
  /** Default: those of `registry.ts`. */
  readonly routes?: readonly Route[];
  /** Default: JSON lines on standard error. */
  readonly log?: Log;
  readonly version?: string;
}

export interface RunningServer {
  /** `http://127.0.0.1:8377`, with the port that was taken. */
  readonly url: string;
  readonly port: number;
  /** Resolves once the judge has judged its first rows. */
  readonly ready: Promise<void>;
  /**
   * Takes no new work, lets what is under way end within `drainMs`, answers the rest with null verdicts, closes.
   * The judge stays the caller's to close. Safe to call twice.
   */
  close(): Promise<void>;
}

/** Between two attempts to get the judge ready. */
const RETRY_MS = 5_000;
/** After the time for draining: for null verdicts to reach their clients. */
const LAST_WORDS_MS = 2_000;

/**
 * ```ts
 * const server = await serve({ judge: await createJudge() }, { port: 0 });
 * await fetch(`${server.url}/v1/verify`, { method: 'POST', headers, body });
 * await server.close();
 * ```
 * @throws {ServeOptionError} on options that cannot be served with; whatever the address refuses
 */
export async function serve(
  parts: ServeParts,
  given: Partial<ServeOptions> = {},
): Promise<RunningServer> {
  const options = serveOptions(given);
  const log = parts.log ?? createLog('json');
  const server = new Server(parts, options, log);
  await server.listen();
  return server;
}

class Server implements RunningServer {
  readonly #options: ServeOptions;
  readonly #log: Log;
  readonly #judge: Judge;
  readonly #stop = new AbortController();
  readonly #shared: Shared;
  readonly #app: FastifyInstance;
  readonly #watch: RowWatch;
  readonly ready: Promise<void>;
  #isReady = false;
  #draining = false;
  #closing: Promise<void> | undefined;

  constructor(parts: ServeParts, options: ServeOptions, log: Log) {
    this.#options = options;
    this.#log = log;
    this.#judge = parts.judge;
    const room = new Room(options.heldBytes);
    const gate = new Gate(options, { waited: (ms) => this.#shared.metrics.waited(ms) });
    const metrics = new Metrics({
      running: () => gate.running,
      waiting: () => gate.waiting,
      open: () => this.#shared.open.size,
      heldBytes: () => room.held,
      connections: () => promisify(this.#app.server.getConnections).call(this.#app.server),
      ready: () => this.#takesWork(),
      workers: cellCounts,
    });
    this.#watch = watchRows(metrics, log);
    this.#shared = {
      options,
      judge: parts.judge,
      gate,
      room,
      metrics,
      log,
      judged: this.#watch.judged,
      stop: this.#stop.signal,
      draining: () => this.#draining,
      open: new Set(),
    };
    this.#app = new Pipeline(this.#routes(parts), this.#shared).app;
    this.ready = this.#getReady();
    this.ready.catch(() => undefined); // ended before it was ready: there is nobody left to tell
  }

  #routes({ routes = ROUTES, version = '0.0.0' }: ServeParts): readonly Route[] {
    const all: Route[] = [...routes];
    const probes = probeRoutes({
      ready: () => this.#takesWork(),
      metrics: () => this.#shared.metrics,
      routes: () => all,
      version,
      secured: this.#options.tokens.length > 0,
    });
    all.push(...probes);
    return all;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    // Two listeners for one name would have limits of their own.
    try {
      await this.#app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
    } catch (error) {
      this.#draining = true;
      this.#stop.abort();
      throw error;
    }
  }

  get port(): number {
    return (this.#app.server.address() as AddressInfo).port;
  }

  get url(): string {
    const { host } = this.#options;
    const name = host.includes(':') ? `[${host}]` : host;
    return `http://${name}:${this.port}`;
  }

  #takesWork(): boolean {
    return this.#isReady && !this.#draining;
  }

  async #getReady(): Promise<void> {
    while (!this.#draining) {
      try {
        await this.#judge.ready();
        this.#isReady = true;
        this.#log.note('info', 'ready');
        return;
      } catch (error) {
        if (this.#draining) return;
        this.#log.note('error', 'the judge is not ready and is tried again', error);
        await pause(RETRY_MS, this.#stop.signal);
      }
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    this.#log.note('info', `ending, requests under way: ${this.#shared.open.size}`);
    const closed = this.#app.close();
    await this.#idle(this.#options.drainMs);
    this.#stop.abort();
    await this.#idle(LAST_WORDS_MS);
    this.#app.server.closeAllConnections();
    await closed;
    this.#watch.end();
    this.#log.end();
  }

  /** Waits until no request is under way, at most so long. */
  async #idle(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    while (this.#shared.open.size > 0 && performance.now() < deadline) await pause(10);
    this.#app.server.closeIdleConnections();
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
