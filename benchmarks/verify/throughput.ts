/**
 * Measures `cipo verify` on all rows of HumanEval, MBPP and GSM8K against the library alone on the same rows, in alternating
 * rounds of one run. Then measures its memory over many rows.
 *
 *   node benchmarks/verify/throughput.ts [--rounds 3] [--workers 2] [--many 50] [--each N]
 *
 * `--rounds 0` skips the comparison. `--each` limits the rows of each data set.
 *
 * The time of the command is that of its whole process. The time of the library is given twice: of judging alone, and of
 * its process, which reads the same files and starts the same sandboxes. CPU time is that of a process with its cells; a
 * loaded machine does not distort it.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isAvailable, SETTINGS, writeMany, writeSets } from './rows.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    workers: { type: 'string', default: '2' },
    many: { type: 'string', default: '50' },
    each: { type: 'string', default: 'Infinity' },
  },
});
if (!isAvailable) {
  console.error('The data was not found. Set CIPO_SHARED to its folder.');
  process.exit(2);
}

function here(path: string) {
  return fileURLToPath(new URL(path, import.meta.url));
}

const CLI = here('../../packages/cli/src/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'cipo-verify-'));
try {
  if (Number(values.rounds) > 0) await compare(writeSets(folder, Number(values.each)));
  await watchMemory(writeMany(folder, Number(values.many)));
} finally {
  rmSync(folder, { recursive: true });
}

interface Measured {
  readonly rows: number;
  readonly passed: number;
  readonly seconds: number;
  /** From the start of the process to its end. */
  readonly processSeconds: number;
  /** CPU time of the process and all its children. */
  readonly cpuSeconds: number;
}

async function compare(files: readonly string[]): Promise<void> {
  const ratios: number[] = [];
  const processRatios: number[] = [];
  const cpuRatios: number[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    const library = await runLibrary(files);
    const command = await runCommand(files);
    if (library.rows !== command.rows || library.passed !== command.passed) {
      throw new Error(`verdicts differ: ${JSON.stringify({ library, command })}`);
    }
    ratios.push(library.seconds / command.seconds);
    processRatios.push(library.processSeconds / command.processSeconds);
    cpuRatios.push(command.cpuSeconds / library.cpuSeconds);
    console.log(
      `round ${round}: ${command.rows} rows, ${command.passed} passed; library ${rate(library)}, cipo verify ${rate(command)}, ratio ${ratios.at(-1)!.toFixed(3)}, as processes ${processRatios.at(-1)!.toFixed(3)}`,
    );
  }
  console.log(
    `cipo verify is at ${medianOf(ratios)} of the library's throughput (median and range)`,
  );
  console.log(`against the whole process of the library: ${medianOf(processRatios)}`);
  console.log(`CPU time against that of the library: ${medianOf(cpuRatios)}`);
}

function rate({ rows, seconds, cpuSeconds }: Measured): string {
  return `${(rows / seconds).toFixed(1)}/s (${seconds.toFixed(1)} s, CPU ${cpuSeconds.toFixed(1)} s)`;
}

function medianOf(ratios: readonly number[]): string {
  const sorted = ratios.toSorted((a, b) => a - b);
  const [low, middle, high] = [sorted[0]!, sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!];
  const percent = (ratio: number) => `${(ratio * 100).toFixed(1)} %`;
  return `${percent(middle)} [${percent(low)}, ${percent(high)}]`;
}

/** CPU seconds of all children that have ended, with their own children. 0 without `/proc`. */
function childCpuSeconds(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return 0;
  }
}

async function runLibrary(files: readonly string[]): Promise<Measured> {
  const before = childCpuSeconds();
  const began = performance.now();
  const { out } = await run([here('./library.ts'), values.workers, ...files], () => undefined);
  const processSeconds = (performance.now() - began) / 1000;
  return { ...JSON.parse(out), processSeconds, cpuSeconds: childCpuSeconds() - before };
}

async function runCommand(files: readonly string[]): Promise<Measured> {
  const before = childCpuSeconds();
  const began = performance.now();
  const rows: boolean[] = [];
  await run(
    [CLI, 'verify', ...files, ...SETTINGS, '--workers', values.workers, '--quiet'],
    (line) => {
      rows.push((JSON.parse(line) as { passed: unknown }).passed === true);
    },
  );
  const seconds = (performance.now() - began) / 1000;
  const cpuSeconds = childCpuSeconds() - before;
  const passed = rows.filter(Boolean).length;
  return { rows: rows.length, passed, seconds, processSeconds: seconds, cpuSeconds };
}

/** Runs Node. @param onLine called with each line of its output @returns the last line */
function run(
  args: readonly string[],
  onLine: (line: string, pid: number) => void,
): Promise<{ out: string }> {
  const child = spawn(process.execPath, [...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let [out, rest] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    out = lines.at(-1) ?? out;
    for (const line of lines) onLine(line, child.pid ?? 0);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve({ out }) : reject(new Error(`${args[0]} ended with ${code}`)),
    );
  });
}

/** Prints the resident memory of the command and its cells at each tenth of the rows. */
async function watchMemory(file: string): Promise<void> {
  const total = readFileSync(file).toString('latin1').split('\n').length - 1;
  const samples: number[] = [];
  let rows = 0;
  let peak = 0;
  const began = performance.now();
  await run(
    [CLI, 'verify', file, ...SETTINGS, '--workers', values.workers, '--quiet'],
    (_, pid) => {
      rows += 1;
      if (rows % 500 === 0) peak = Math.max(peak, residentMb(pid));
      if (rows % Math.floor(total / 10) === 0) samples.push(residentMb(pid));
    },
  );
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${rows} rows in ${seconds.toFixed(1)} s (${Math.round(rows / seconds)}/s), memory of the command and its cells:`,
  );
  console.log(
    `  at each tenth ${samples.map((mb) => Math.round(mb)).join(', ')} MB; peak ${Math.round(peak)} MB`,
  );
}

/** Resident memory of a process and its descendants in MB. 0 without `/proc`. */
function residentMb(pid: number): number {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean),
    );
    return (pages * 4) / 1024 + children.reduce((sum, child) => sum + residentMb(Number(child)), 0);
  } catch {
    return 0; // the process has just ended
  }
}
