/**
 * Starts the HTTP server of `cipo serve` with a judge, and shuts it down without losing a verdict. Leaves out: command line
 * flags (packages/cli), the path of a request (`pipeline.ts`), the queue (`gate.ts`).
 */
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { cellCounts } from '@cipo/verifier/cells';
import type { FastifyInstance } from 'fastify';
import type { Judge } from '../judge.ts';
import { ByteBudget } from './body.ts';
import { Gate } from './gate.ts';
import { createLog, type Log } from './log.ts';
import { Metrics } from './metrics.ts';
import { type ServeOptions, serveOptions } from './options.ts';
import { Pipeline, type Shared } from './pipeline.ts';
import { probeRoutes } from './probes.ts';
import { ROUTES } from './registry.ts';
import type { Route } from './route.ts';
import { type RowWatch, watchRows } from './watch.ts';

/** The parts of a server, apart from its options. */
export interface ServeParts {
  /** Judges the rows. The caller closes it after the server. */
  readonly judge: Judge;
  /** Routes that judge rows. Default: `POST /v1/verify` and the wire formats of trainers. */
  readonly routes?: readonly Route[];
  /** The log. Default: JSON lines on standard error. */
  readonly log?: Log;
  /** Version that `/healthz`, `/openapi.json` and the start page show. Default: `0.0.0`. */
  readonly version?: string;
}

/** A server that accepts connections. */
export interface RunningServer {
  /** URL of the server with its actual port, such as `http://127.0.0.1:8377`. */
  readonly url: string;
  /** The actual port. */
  readonly port: number;
  /** Resolves when the sandboxes have started and have judged a correct program each. */
  readonly ready: Promise<void>;
  /**
   * Shuts the server down: accepts no new requests, gives those in progress `drainMs` to finish, answers the rest with
   * verdicts whose reward is null. Does not close the judge. Can be called more than once.
   */
  close(): Promise<void>;
}

/** Pause between two attempts to start the sandboxes. */
const READY_RETRY_MS = 5_000;
/** Time after draining in which the null verdicts are sent. */
const FLUSH_MS = 2_000;

/**
 * Starts a server.
 *
 * ```ts
 * const server = await serve({ judge: await createJudge() }, { port: 0 });
 * await fetch(`${server.url}/v1/verify`, { method: 'POST', headers, body });
 * await server.close();
 * ```
 * @param given options; see {@link SERVE_DEFAULTS} for the defaults
 * @throws {ServeOptionError} if an option is not valid
 * @throws {Error} of Node if it cannot listen on the address
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
  #isDraining = false;
  #closing: Promise<void> | undefined;

  constructor(parts: ServeParts, options: ServeOptions, log: Log) {
    this.#options = options;
    this.#log = log;
    this.#judge = parts.judge;
    const budget = new ByteBudget(options.heldBytes);
    const gate = new Gate(options, {
      onWait: (ms) => this.#shared.metrics.observeWait(ms),
    });
    const metrics = new Metrics({
      running: () => gate.running,
      waiting: () => gate.waiting,
      openRequests: () => this.#shared.open.size,
      heldBytes: () => budget.held,
      connections: () => promisify(this.#app.server.getConnections).call(this.#app.server),
      isReady: () => this.#acceptsRows(),
      workers: cellCounts,
    });
    this.#watch = watchRows(metrics, log);
    this.#shared = {
      options,
      judge: parts.judge,
      gate,
      budget,
      metrics,
      log,
      onVerdict: this.#watch.onVerdict,
      stop: this.#stop.signal,
      isDraining: () => this.#isDraining,
      open: new Set(),
    };
    this.#app = new Pipeline(this.#routes(parts), this.#shared).app;
    this.ready = this.#prepare();
    this.ready.catch(() => undefined); // a server that is closed before it is ready has no one to report to
  }

  #routes({ routes = ROUTES, version = '0.0.0' }: ServeParts): readonly Route[] {
    const all: Route[] = [...routes];
    const probes = probeRoutes({
      isReady: () => this.#acceptsRows(),
      metrics: () => this.#shared.metrics,
      routes: () => all,
      version,
      isSecured: this.#options.tokens.length > 0,
    });
    all.push(...probes);
    return all;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    // The name localhost may mean two addresses; two listeners would each have their own limits.
    try {
      await this.#app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
    } catch (error) {
      this.#isDraining = true;
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

  #acceptsRows(): boolean {
    return this.#isReady && !this.#isDraining;
  }

  async #prepare(): Promise<void> {
    while (!this.#isDraining) {
      try {
        await this.#judge.ready();
        this.#isReady = true;
        this.#log.note('info', 'ready');
        return;
      } catch (error) {
        if (this.#isDraining) return;
        this.#log.note('error', 'the judge is not ready and will be retried', error);
        await pause(READY_RETRY_MS, this.#stop.signal);
      }
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    this.#log.note('info', `shutting down, requests in progress: ${this.#shared.open.size}`);
    const closed = this.#app.close();
    await this.#waitUntilIdle(this.#options.drainMs);
    this.#stop.abort();
    await this.#waitUntilIdle(FLUSH_MS);
    this.#app.server.closeAllConnections();
    await closed;
    this.#watch.end();
    this.#log.end();
  }

  /** Waits until no request is in progress, but at most `ms`. */
  async #waitUntilIdle(ms: number): Promise<void> {
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
