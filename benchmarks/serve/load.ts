/**
 * Load by autocannon, every reply compared with the reward that it must have. Leaves out: the server, and what the
 * figures are held against (`overload.ts`).
 */
import autocannon from 'autocannon';
import type { Expected } from './rows.ts';

/** What happened to the requests of one phase. Latencies are milliseconds, as the clients saw them. */
export interface Tally {
  readonly seconds: number;
  readonly accepted: readonly number[];
  readonly refused: readonly number[];
  /** Rewards other than they must be: 0 for what is right, 1 for what is wrong, a verdict on another row. */
  readonly wrong: number;
  /** Verdicts without a judgement. */
  readonly none: number;
  /** Replies that are neither 200 nor 429, and connections that broke. */
  readonly errors: number;
}

interface Counts {
  /** Requests that began before this are not timed. */
  timedFromMs: number;
  accepted: number[];
  refused: number[];
  wrong: number;
  none: number;
  errors: number;
}

const empty = (timedFromMs = 0): Counts => ({
  timedFromMs,
  accepted: [],
  refused: [],
  wrong: 0,
  none: 0,
  errors: 0,
});

/** As fast as `connections` clients go that wait for each reply. */
export async function closedLoop(
  url: string,
  rows: readonly Expected[],
  connections: number,
  seconds: number,
): Promise<Tally> {
  const counts = empty();
  await run(url, rows, { connections, duration: seconds }, counts);
  return { seconds, ...counts };
}

/** Clients send once in each second of theirs: begun one after another, they spread over it. */
const SLICES = 20;
/** Until all clients are there. Replies to what was asked before that are checked, but not timed. */
const SETTLE_S = 5;

/** So many requests a second, whether replies come or not. */
export async function openLoop(
  url: string,
  rows: readonly Expected[],
  perSecond: number,
  seconds: number,
): Promise<Tally> {
  const counts = empty(performance.now() + SETTLE_S * 1000);
  const each = Math.max(1, Math.round(perSecond / SLICES));
  const slices = Array.from({ length: SLICES }, async (_, slice) => {
    await new Promise((resolve) => setTimeout(resolve, (1000 / SLICES) * slice));
    const options = { connections: each, overallRate: each, duration: seconds + SETTLE_S };
    await run(url, rows, options, counts);
  });
  await Promise.all(slices);
  return { seconds, ...counts };
}

function run(
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
              check(context.expected!, status, body, counts),
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

function check({ row, reward }: Expected, status: number, body: string, counts: Counts): void {
  if (status !== 200) return;
  const verdict = JSON.parse(body) as { id: string; reward: number | null };
  if (verdict.reward === null) counts.none += 1;
  if (verdict.id !== row.id || (verdict.reward !== null && verdict.reward !== reward)) {
    counts.wrong += 1;
    process.stderr.write(`wrong: ${body}\n`);
  }
}

/** The value below which a share of all lies; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
