/**
 * Measures verdicts per second of the cells and of simpler alternatives. The alternatives run the same programs and
 * check the same values with less isolation.
 *
 * node --no-node-snapshot benchmarks/sandbox/speed.ts [--seconds 4]
 *
 * One worker is also measured on a single core (`taskset`). A worker uses more than one core if one is idle, so that
 * two workers on two cores are less than twice as fast as one worker on two cores.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { errorMessage } from '@cipo/support';
import { createCodeVerifier, parseCodeTask } from '../../packages/verifier/src/code/index.ts';
import type { PeerJob } from './peers/isolate.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    /** Measure only the cells with one worker and print JSON. Used by the measurement on one core. */
    alone: { type: 'boolean', default: false },
  },
});
const spanMs = Number(values.seconds) * 1000;

const CODE = {
  javascript:
    'function f(words) {\n  const count = new Map();\n  for (const w of words) count.set(w, (count.get(w) ?? 0) + 1);\n  return [...count].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));\n}',
  python:
    'from collections import Counter\ndef f(words):\n    return sorted(Counter(words).items(), key=lambda p: (-p[1], p[0]))',
};
const inputs = [...Array(5).keys()].map((i) =>
  [...Array(20).keys()].map((k) => `w${(k * (i + 3)) % 7}`),
);
const expectedOf = (words: readonly string[]) => {
  const count = new Map<string, number>();
  for (const w of words) count.set(w, (count.get(w) ?? 0) + 1);
  return [...count].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
};
const taskFor = (language: string) =>
  parseCodeTask({
    language,
    tests: {
      type: 'call',
      entry: 'f',
      cases: inputs.map((words) => ({ args: [words], expected: expectedOf(words) })),
    },
  });

interface Row {
  readonly what: string;
  readonly workers: number;
  readonly perSecond: number;
  /** CPU time of all processes for one attempt. It does not depend on the load of the machine. */
  readonly cpuMsEach: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly startMs: number;
  readonly mbEach: number;
}

interface Times {
  readonly times: readonly number[];
  readonly cpuMsEach: number;
}

/** Runs `concurrency` attempts at a time for the whole span and measures the latency of each. */
async function measure(concurrency: number, one: () => Promise<void>): Promise<Times> {
  const times: number[] = [];
  const cpuBefore = cpuMsOfAll();
  const until = performance.now() + spanMs;
  const runUntilEnd = async () => {
    while (performance.now() < until) {
      const began = performance.now();
      await one();
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, runUntilEnd));
  const cpuMsEach = (cpuMsOfAll() - cpuBefore) / Math.max(1, times.length);
  return { times: times.sort((a, b) => a - b), cpuMsEach };
}

function row(what: string, workers: number, measured: Times, more: Partial<Row>): Row {
  const { times, cpuMsEach } = measured;
  const at = (q: number) => times[Math.min(times.length - 1, Math.floor(times.length * q))] ?? 0;
  return {
    what,
    workers,
    perSecond: Math.round((times.length / spanMs) * 1000),
    cpuMsEach: fixed(cpuMsEach),
    p50Ms: fixed(at(0.5)),
    p99Ms: fixed(at(0.99)),
    startMs: Math.round(more.startMs ?? 0),
    mbEach: Math.round(more.mbEach ?? 0),
  };
}

async function cells(language: 'javascript' | 'python', workers: number): Promise<Row> {
  const verifier = createCodeVerifier({ workers });
  const task = taskFor(language);
  const one = async () => {
    const verdict = await verifier.verify(task, CODE[language]);
    if (verdict.kind !== 'judged' || !verdict.passed) throw new Error(JSON.stringify(verdict));
  };
  const began = performance.now();
  await one();
  const startMs = performance.now() - began;
  await Promise.all(Array.from({ length: 40 }, one));
  const times = await measure(workers * 2, one);
  const children = childMemory();
  await verifier.close();
  const mbEach = children.reduce((sum, mb) => sum + mb, 0) / Math.max(1, children.length);
  return row(`cells, ${language}`, workers, times, { startMs, mbEach });
}

/** CPU milliseconds of this process and of all its children, living or ended. */
function cpuMsOfAll(): number {
  const fields = (pid: string) =>
    readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
      .slice(11, 15);
  try {
    const sum = (list: readonly string[]) =>
      list.reduce((total, ticks) => total + Number(ticks), 0);
    const living = threadChildren().map((pid) => sum(fields(pid).slice(0, 2)));
    return (sum(fields('self')) + living.reduce((a, b) => a + b, 0)) * 10;
  } catch {
    return Number.NaN;
  }
}

/** Resident MB of each child of this process, on systems with `/proc`. */
function childMemory(): number[] {
  try {
    return threadChildren().map((pid) => {
      const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
      return (pages * 4) / 1024;
    });
  } catch {
    return [];
  }
}

function threadChildren(): string[] {
  const require = createRequire(import.meta.url);
  const { readdirSync } = require('node:fs') as typeof import('node:fs');
  return readdirSync('/proc/self/task').flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean),
  );
}

async function isolates(workers: number, guest: boolean): Promise<Row> {
  const require = createRequire(
    fileURLToPath(new URL('../../packages/verifier/src/', import.meta.url)),
  );
  const { Piscina } =
    require('piscina') as typeof import('../../packages/verifier/node_modules/piscina/dist/index.js');
  require('isolated-vm'); // the addon must be loaded in the main thread first
  const filename = fileURLToPath(new URL('./peers/isolate.ts', import.meta.url));
  const pool = new Piscina({ filename, minThreads: workers, maxThreads: workers });
  const job: PeerJob = {
    code: CODE.javascript,
    calls: inputs.map((w) => JSON.stringify([w])),
    guest,
  };
  const began = performance.now();
  await pool.run(job);
  const startMs = performance.now() - began;
  const times = await measure(workers * 2, async () => {
    await pool.run(job);
  });
  // The pool is not closed: ending a thread that has used isolated-vm aborts the process (7.0.1).
  return row(`isolates in threads, ${guest ? 'same guest' : 'bare'}`, workers, times, { startMs });
}

async function processes(command: string, flag: string, workers: number): Promise<Row> {
  const program =
    command === 'python3'
      ? `import json\n${CODE.python}\nfor w in ${JSON.stringify(inputs)}: print(json.dumps(f(w)))`
      : `${CODE.javascript}\nfor (const w of ${JSON.stringify(inputs)}) console.log(JSON.stringify(f(w)))`;
  const times = await measure(workers, () => runProcess(command, [flag, program]));
  return row(`${command.split('/').at(-1)} per attempt`, workers, times, {});
}

function runProcess(command: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.resume();
    child.on('error', reject);
    child.on('close', () => resolve());
  });
}

function fixed(ms: number): number {
  return Math.round(ms * 100) / 100;
}

/** Measures one worker of each language with all its processes on one core. Empty without `taskset`. */
function measureOnOneCore(): Row[] {
  const self = fileURLToPath(import.meta.url);
  const args = ['-c', '0', process.execPath, '--no-node-snapshot', self, '--alone'];
  try {
    const text = execFileSync('taskset', [...args, '--seconds', values.seconds], {
      encoding: 'utf8',
    });
    return (JSON.parse(text) as Row[]).map((r) => ({ ...r, what: `${r.what}, one core` }));
  } catch (error) {
    console.error(`cannot measure on one core: ${errorMessage(error)}`);
    return [];
  }
}

if (values.alone) {
  console.log(JSON.stringify([await cells('javascript', 1), await cells('python', 1)]));
  process.exit();
}

const rows: Row[] = [];
for (const workers of [1, 2]) {
  rows.push(await cells('javascript', workers));
  rows.push(await isolates(workers, false));
  rows.push(await isolates(workers, true));
  rows.push(await processes(process.execPath, '-e', workers));
  rows.push(await cells('python', workers));
  rows.push(await processes('python3', '-c', workers));
}
rows.push(...measureOnOneCore());
const speed = (what: string, workers: number) =>
  rows.find((r) => r.what.startsWith(what) && r.workers === workers)?.perSecond ?? Number.NaN;
console.table(rows);
const cost = (what: string) => rows.find((r) => r.what.startsWith(what))?.cpuMsEach ?? Number.NaN;
const ratio = (a: number, b: number) => (a / b).toFixed(2);
console.log(
  `by CPU time: JavaScript ${ratio(cost('isolates in threads, bare'), cost('cells, javascript'))} x bare isolates,`,
  `${ratio(cost('isolates in threads, same guest'), cost('cells, javascript'))} x isolates with the same guest,`,
  `${ratio(cost('node'), cost('cells, javascript'))} x node per attempt;`,
  `Python ${ratio(cost('python3'), cost('cells, python'))} x python3 per attempt`,
);
for (const workers of [1, 2]) {
  const js = speed('cells, javascript', workers);
  console.log(
    `${workers} worker(s): JavaScript ${ratio(js, speed('isolates in threads, bare', workers))} x bare isolates in threads,`,
    `${ratio(js, speed('isolates in threads, same guest', workers))} x isolates with the same guest,`,
    `${ratio(js, speed('node', workers))} x node per attempt;`,
    `Python ${ratio(speed('cells, python', workers), speed('python3', workers))} x python3 per attempt`,
  );
}
for (const language of ['javascript', 'python']) {
  const what = `cells, ${language}`;
  const [one, alone] = [speed(what, 1), speed(`${what}, one core`, 1)];
  console.log(
    `${language}: two workers on two cores ${ratio(speed(what, 2), one)} x one worker on two,`,
    `${ratio(speed(what, 2), alone)} x one worker on one`,
  );
}
process.kill(process.pid, 'SIGTERM'); // an orderly exit would end the pool above
