/**
 * `cipo serve` at twice its capacity: what is refused is refused quickly, what is accepted is judged rightly and in
 * bounded time; and the same while a sandbox is killed every second.
 *
 *   node benchmarks/serve/overload.ts [--seconds 120]
 *
 * Exit code 1 where a claim does not hold: a wrong verdict or none, a broken connection, a server that ended, or accepted
 * requests slower than twice the unloaded p99 plus the bound of the queue.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { closedLoop, openLoop, quantile, type Tally } from './load.ts';
import { rows } from './rows.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '120' } } });
const seconds = Number(values.seconds);
const QUEUE_MS = 500;
const ALL = rows(14);
const BIN = fileURLToPath(new URL('../../packages/cli/bin/cipo.js', import.meta.url));

interface Served extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly ended: () => boolean;
}

async function start(...flags: string[]): Promise<Served> {
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
    ended: () => child.exitCode !== null,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exit;
    },
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Processes whose parent is the server: its sandboxes. */
function sandboxesOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]) === pid
        ? [Number(name)]
        : [];
    } catch {
      return []; // it ended while we looked
    }
  });
}

/** Kills one sandbox a second, in turn. */
function killing(pid: number): Disposable & { killed: number } {
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

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  );
}

const round = (value: number) => Math.round(value * 10) / 10;

function line(phase: string, tally: Tally) {
  const { accepted, refused } = tally;
  const perSecond = (list: readonly number[]) => round(list.length / tally.seconds);
  return {
    phase,
    'accepted/s': perSecond(accepted),
    'refused/s': perSecond(refused),
    'p50 ms': round(quantile(accepted, 0.5)),
    'p99 ms': round(quantile(accepted, 0.99)),
    'refused p50': round(quantile(refused, 0.5)),
    'refused p99': round(quantile(refused, 0.99)),
    wrong: tally.wrong,
    null: tally.none,
    errors: tally.errors,
  };
}

const short = Math.min(20, seconds);
let capacity = 0;
let alone: Tally;
{
  await using served = await start();
  await closedLoop(served.url, ALL, 8, Math.min(5, seconds)); // warm
  const full = await closedLoop(served.url, ALL, 8, short);
  capacity = full.accepted.length / full.seconds;
  alone = await closedLoop(served.url, ALL, 1, short);
  console.table([line('8 clients: capacity', full), line('1 client: unloaded', alone)]);
}

// Half of what could be judged in that time: what has no room is refused at once, time is for what went wrong.
const queue = Math.ceil((capacity * QUEUE_MS) / 2000);
const limits = ['--queue', String(queue), '--batch', '1', '--queue-ms', String(QUEUE_MS)];
await using served = await start(...limits);
await closedLoop(served.url, ALL, 8, Math.min(5, seconds)); // warm
const twice = await openLoop(served.url, ALL, capacity * 2, seconds);
const before = await metric(served.url, 'cipo_worker_starts_total');
const killer = killing(served.pid);
const hunted = await openLoop(served.url, ALL, capacity * 2, seconds);
killer[Symbol.dispose]();
const restarts = (await metric(served.url, 'cipo_worker_starts_total')) - before;

console.table([line('twice the capacity', twice), line('and a kill a second', hunted)]);
const bound = 2 * quantile(alone.accepted, 0.99) + QUEUE_MS;
console.log(
  `queue: ${queue} rows and ${QUEUE_MS} ms; p99 must be below ${round(bound)} ms. ${killer.killed} sandboxes killed, ${restarts} started again.`,
);

const failures = [
  ...[twice, hunted].flatMap((it) => (it.wrong > 0 ? [`${it.wrong} wrong verdicts`] : [])),
  ...[twice, hunted].flatMap((it) => (it.none > 0 ? [`${it.none} rows without a judgement`] : [])),
  ...[twice, hunted].flatMap((it) => (it.errors > 0 ? [`${it.errors} errors`] : [])),
  ...(quantile(twice.accepted, 0.99) > bound ? ['accepted requests were too slow'] : []),
  ...(served.ended() ? ['the server ended'] : []),
];
if (failures.length > 0) {
  console.error(failures.join('\n'));
  process.exitCode = 1;
}
