/**
 * Generates load with autocannon and compares every reply with its expected reward. Leaves out: the server and the limits
 * that the figures must meet (`overload.ts`).
 */
import autocannon from 'autocannon';
import type { Expected } from './rows.ts';

/** The replies of one phase. Latencies are in milliseconds, measured by the clients. */
export interface LoadResult {
  readonly seconds: number;
  /** Latencies of replies with status 200. */
  readonly accepted: readonly number[];
  /** Latencies of replies with status 429. */
  readonly refused: readonly number[];
  /** Verdicts with another reward than expected, or on another row. */
  readonly wrong: number;
  /** Void verdicts. */
  readonly none: number;
  /** Replies other than 200 and 429, and lost connections. */
  readonly errors: number;
}

interface Counts {
  /** Requests that started before this time are checked, but their latency is not counted. */
  timedFromMs: number;
  accepted: number[];
  refused: number[];
  wrong: number;
  none: number;
  errors: number;
}

function emptyCounts(timedFromMs = 0): Counts {
  return { timedFromMs, accepted: [], refused: [], wrong: 0, none: 0, errors: 0 };
}

/** Sends requests with `connections` clients, each of which waits for its reply before the next request. */
export async function closedLoop(
  url: string,
  rows: readonly Expected[],
  connections: number,
  seconds: number,
): Promise<LoadResult> {
  const counts = emptyCounts();
  await runAutocannon(url, rows, { connections, duration: seconds }, counts);
  return { seconds, ...counts };
}

/** Each client sends its requests once per second. The clients start in this many groups, spread over a second. */
const SLICES = 20;
/** Time in which all clients start. Replies to requests in this time are checked, but not timed. */
const SETTLE_S = 5;

/** Sends `perSecond` requests per second, independently of the replies. */
export async function openLoop(
  url: string,
  rows: readonly Expected[],
  perSecond: number,
  seconds: number,
): Promise<LoadResult> {
  const counts = emptyCounts(performance.now() + SETTLE_S * 1000);
  const each = Math.max(1, Math.round(perSecond / SLICES));
  const slices = Array.from({ length: SLICES }, async (_, slice) => {
    await new Promise((resolve) => setTimeout(resolve, (1000 / SLICES) * slice));
    const options = { connections: each, overallRate: each, duration: seconds + SETTLE_S };
    await runAutocannon(url, rows, options, counts);
  });
  await Promise.all(slices);
  return { seconds, ...counts };
}

function runAutocannon(
  url: string,
  rows: readonly Expected[],
  options: { connections: number; duration: number; overallRate?: number },
  counts: Counts,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const instance = autocannon(
      {
        ...options,
        url: `${url}/v1/verify`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        timeout: 60,
        ...(options.overallRate === undefined ? {} : { ignoreCoordinatedOmission: true }),
        requests: [
          {
            setupRequest: (request, context: { expected?: Expected }) => {
              const expected = rows[Math.floor(Math.random() * rows.length)]!;
              context.expected = expected;
              return { ...request, body: JSON.stringify(expected.row) };
            },
            onResponse: (status, body, context: { expected?: Expected }) =>
              checkReply(context.expected!, status, body, counts),
          },
        ],
      },
      (error) => (error ? reject(error) : resolve()),
    );
    instance.on('response', (_client, status, _bytes, ms) => {
      if (status !== 200 && status !== 429) counts.errors += 1;
      else if (performance.now() - ms >= counts.timedFromMs)
        (status === 200 ? counts.accepted : counts.refused).push(ms);
    });
    instance.on('reqError', () => {
      counts.errors += 1;
    });
  });
}

function checkReply({ row, reward }: Expected, status: number, body: string, counts: Counts): void {
  if (status !== 200) return;
  const verdict = JSON.parse(body) as { id: string; reward: number | null };
  if (verdict.reward === null) counts.none += 1;
  if (verdict.id !== row.id || (verdict.reward !== null && verdict.reward !== reward)) {
    counts.wrong += 1;
    process.stderr.write(`wrong: ${body}\n`);
  }
}

/** The quantile of values at `share` (0 to 1); 0 without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
