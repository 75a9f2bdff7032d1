/**
 * The Prometheus metrics of `/metrics`. Label values come from fixed sets, so that callers cannot increase their number.
 * Leaves out: when things are counted.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Histogram buckets in seconds, from a comparison of numbers to a program at its time limit. */
const BUCKETS_S = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60];

/** Values that are read when the metrics are requested. */
export interface Readings {
  readonly running: () => number;
  readonly waiting: () => number;
  readonly openRequests: () => number;
  readonly heldBytes: () => number;
  readonly connections: () => Promise<number>;
  readonly isReady: () => boolean;
  /** Sandbox processes that are alive, and the number started since the server started. */
  readonly workers: () => { readonly alive: number; readonly started: number };
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = this.#counter('cipo_http_requests_total', 'Requests answered', [
    'route',
    'method',
    'status',
  ]);
  readonly #seconds = this.#histogram(
    'cipo_http_request_seconds',
    'Time from the headers of a request to the end of its reply',
    ['route'],
  );
  readonly #errors = this.#counter('cipo_http_refused_total', 'Error replies, by code', ['code']);
  readonly #verdicts = this.#counter('cipo_verdicts_total', 'Rows judged, by status', ['status']);
  readonly #rowSeconds = this.#histogram(
    'cipo_row_seconds',
    'Time from the start of a row to its verdict',
    [],
  );
  readonly #waitSeconds = this.#histogram(
    'cipo_row_wait_seconds',
    'Time that a row waited in the queue',
    [],
  );
  readonly #dropped = this.#counter(
    'cipo_connections_dropped_total',
    'Connections closed because there were too many',
    [],
  );

  constructor(readings: Readings) {
    collectDefaultMetrics({ register: this.#registry });
    this.#gauge('cipo_rows_running', 'Rows being judged', readings.running);
    this.#gauge('cipo_rows_waiting', 'Rows waiting in the queue', readings.waiting);
    this.#gauge(
      'cipo_http_requests_open',
      'Requests in progress: read, waiting or judged',
      readings.openRequests,
    );
    this.#gauge('cipo_body_held_bytes', 'Bytes of request bodies in memory', readings.heldBytes);
    this.#gauge('cipo_connections', 'Connections open', readings.connections);
    this.#gauge('cipo_ready', '1 while the server accepts rows', () => Number(readings.isReady()));
    this.#gauge('cipo_workers_alive', 'Sandbox processes alive', () => readings.workers().alive);
    this.#registerWorkerStarts(readings);
  }

  countRequest(route: string, method: string, status: number, seconds: number): void {
    this.#requests.inc({ route, method, status: String(status) });
    this.#seconds.observe({ route }, seconds);
  }

  countError(code: string): void {
    this.#errors.inc({ code });
  }

  countRow(status: string, seconds: number): void {
    this.#verdicts.inc({ status });
    this.#rowSeconds.observe(seconds);
  }

  observeWait(ms: number): void {
    this.#waitSeconds.observe(ms / 1000);
  }

  countDroppedConnection(): void {
    this.#dropped.inc();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** The cell pools hold this count; the counter is set to their value on every read. */
  #registerWorkerStarts(readings: Readings): void {
    new Counter({
      name: 'cipo_worker_starts_total',
      help: 'Sandbox processes started. More than the number of workers means restarts',
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(readings.workers().started);
      },
    });
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: readonly L[]): Histogram<L> {
    const registers = [this.#registry];
    return new Histogram({ name, help, labelNames, registers, buckets: BUCKETS_S });
  }

  #gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(await read());
      },
    });
  }
}
