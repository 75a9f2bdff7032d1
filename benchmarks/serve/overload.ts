/**
 * Measures `cipo serve` at twice its capacity, with and without killing a sandbox every second. Refusals must be fast, and
 * accepted requests must be judged correctly and within a time limit.
 *
 *   node benchmarks/serve/overload.ts [--seconds 120]
 *
 * Exit code 1 if a verdict is wrong or void, a connection is lost, the server exits, or the p99 of accepted requests is above
 * twice the unloaded p99 plus the time limit of the queue.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { closedLoop, type LoadResult, openLoop, quantile } from './load.ts';
import { rows } from './rows.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '120' } } });
const seconds = Number(values.seconds);
const QUEUE_MS = 500;
const ALL = rows(14);
const BIN = fileURLToPath(new URL('../../packages/cli/bin/cipo.js', import.meta.url));

interface RunningServer extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly hasExited: () => boolean;
}

async function startServer(...flags: string[]): Promise<RunningServer> {
  const args = [BIN, 'serve', '--port', '0', '--log', 'off', ...flags];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  const url = await new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk) => resolve(String(chunk).trim().split(' ').at(-1) ?? ''));
  });
  while ((await fetch(`${url}/readyz`)).status !== 200) await pause(100);
  return {
    url,
    pid: child.pid ?? 0,
    hasExited: () => child.exitCode !== null,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exit;
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The sandboxes: processes whose parent is the server. */
function sandboxesOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]) === pid
        ? [Number(name)]
        : [];
    } catch {
      return []; // the process exited in the meantime
    }
  });
}

/** Kills one sandbox per second, in turn, until it is disposed. */
function killSandboxes(pid: number): Disposable & { killed: number } {
  const state = { killed: 0, [Symbol.dispose]: () => clearInterval(timer) };
  const timer = setInterval(() => {
    const all = sandboxesOf(pid);
    const victim = all[state.killed % all.length];
    if (victim === undefined) return;
    process.kill(victim, 'SIGKILL');
    state.killed += 1;
  }, 1000);
  return state;
}

async function readMetric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function formatPhase(phase: string, result: LoadResult) {
  const { accepted, refused } = result;
  const perSecond = (list: readonly number[]) => round(list.length / result.seconds);
  return {
    phase,
    'accepted/s': perSecond(accepted),
    'refused/s': perSecond(refused),
    'p50 ms': round(quantile(accepted, 0.5)),
    'p99 ms': round(quantile(accepted, 0.99)),
    'refused p50': round(quantile(refused, 0.5)),
    'refused p99': round(quantile(refused, 0.99)),
    wrong: result.wrong,
    null: result.none,
    errors: result.errors,
  };
}

const short = Math.min(20, seconds);
let capacity = 0;
let unloaded: LoadResult;
{
  await using server = await startServer();
  await closedLoop(server.url, ALL, 8, Math.min(5, seconds)); // warm up
  const full = await closedLoop(server.url, ALL, 8, short);
  capacity = full.accepted.length / full.seconds;
  unloaded = await closedLoop(server.url, ALL, 1, short);
  console.table([
    formatPhase('8 clients: capacity', full),
    formatPhase('1 client: unloaded', unloaded),
  ]);
}

// Half of the rows that can be judged within QUEUE_MS, so that the row limit refuses requests before the time limit does.
const queue = Math.ceil((capacity * QUEUE_MS) / 2000);
const limits = ['--queue', String(queue), '--batch', '1', '--queue-ms', String(QUEUE_MS)];
await using server = await startServer(...limits);
await closedLoop(server.url, ALL, 8, Math.min(5, seconds)); // warm up
const twice = await openLoop(server.url, ALL, capacity * 2, seconds);
const before = await readMetric(server.url, 'cipo_worker_starts_total');
const killer = killSandboxes(server.pid);
const withKills = await openLoop(server.url, ALL, capacity * 2, seconds);
killer[Symbol.dispose]();
const restarts = (await readMetric(server.url, 'cipo_worker_starts_total')) - before;

console.table([
  formatPhase('twice the capacity', twice),
  formatPhase('with one kill per second', withKills),
]);
const bound = 2 * quantile(unloaded.accepted, 0.99) + QUEUE_MS;
console.log(
  `queue: ${queue} rows and ${QUEUE_MS} ms; limit of p99: ${round(bound)} ms. ${killer.killed} sandboxes killed, ${restarts} restarted.`,
);

const failures = [
  ...[twice, withKills].flatMap((it) => (it.wrong > 0 ? [`${it.wrong} wrong verdicts`] : [])),
  ...[twice, withKills].flatMap((it) => (it.none > 0 ? [`${it.none} void verdicts`] : [])),
  ...[twice, withKills].flatMap((it) => (it.errors > 0 ? [`${it.errors} errors`] : [])),
  ...(quantile(twice.accepted, 0.99) > bound ? ['accepted requests were too slow'] : []),
  ...(server.hasExited() ? ['the server exited'] : []),
];
if (failures.length > 0) {
  console.error(failures.join('\n'));
  process.exitCode = 1;
}
