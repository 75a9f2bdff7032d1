/**
 * What Prometheus reads at `/metrics`, each metric once with its name, unit and help. Leaves out: when they are counted.
 * Labels take only values that this project chooses, so no caller can make their number grow.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds: from a comparison of numbers to a program at its limit. */
const ROW_SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60];

/** What is asked for when somebody reads the metrics. */
export interface Readings {
  readonly running: () => number;
  readonly waiting: () => number;
  readonly open: () => number;
  readonly heldBytes: () => number;
  readonly connections: () => Promise<number>;
  readonly ready: () => boolean;
  /** Sandboxes alive, and how many were ever started. */
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
    'From the headers of a request to the end of its reply',
    ['route'],
  );
  readonly #refused = this.#counter(
    'cipo_http_refused_total',
    'Requests refused, by the code of the error',
    ['code'],
  );
  readonly #verdicts = this.#counter('cipo_verdicts_total', 'Rows judged, by status', ['status']);
  readonly #rowSeconds = this.#histogram(
    'cipo_row_seconds',
    'From the turn of a row to its verdict',
    [],
  );
  readonly #waitSeconds = this.#histogram(
    'cipo_row_wait_seconds',
    'How long a row waited for its turn',
    [],
  );
  readonly #dropped = this.#counter(
    'cipo_connections_dropped_total',
    'Connections closed unheard because there were too many',
    [],
  );

  constructor(readings: Readings) {
    collectDefaultMetrics({ register: this.#registry });
    this.#gauge('cipo_rows_running', 'Rows being judged', readings.running);
    this.#gauge('cipo_rows_waiting', 'Rows that wait for their turn', readings.waiting);
    this.#gauge('cipo_http_requests_open', 'Requests read, waiting or judged', readings.open);
    this.#gauge('cipo_body_held_bytes', 'Bytes of request bodies in memory', readings.heldBytes);
    this.#gauge('cipo_connections', 'Connections open', readings.connections);
    this.#gauge('cipo_ready', '1 while the server takes work', () => Number(readings.ready()));
    this.#gauge('cipo_workers_alive', 'Sandbox processes alive', () => readings.workers().alive);
    this.#workerStarts(readings);
  }

  answered(route: string, method: string, status: number, seconds: number): void {
    this.#requests.inc({ route, method, status: String(status) });
    this.#seconds.observe({ route }, seconds);
  }

  refused(code: string): void {
    this.#refused.inc({ code });
  }

  judged(status: string, seconds: number): void {
    this.#verdicts.inc({ status });
    this.#rowSeconds.observe(seconds);
  }

  waited(ms: number): void {
    this.#waitSeconds.observe(ms / 1000);
  }

  connectionDropped(): void {
    this.#dropped.inc();
  }

  get type(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** The pool counts by itself, so that this counter is set to what it says. */
  #workerStarts(readings: Readings): void {
    new Counter({
      name: 'cipo_worker_starts_total',
      help: 'Sandbox processes ever started: more than there are workers were started again',
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
    return new Histogram({ name, help, labelNames, registers, buckets: ROW_SECONDS });
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
