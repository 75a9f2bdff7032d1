/**
 * What a pool's thread does around one attempt: hands the program without any expected value to the
 * cell, and judges what comes back. Runs off the main thread.
 */
import type { CellJob, CellOutcome, JobLimits, Usage } from '../cells/index.ts';
import { type Verdict, voided } from '../types.ts';
import type { Program } from './extract.ts';
import type { CodeJob, CodeRun, Plan, RunLimits, TestRun, Trouble } from './job.ts';
import { judgeRun } from './judge.ts';
import { cellLimits, PATIENCE } from './limits.ts';
import type { CodeReference } from './reference.ts';

/** One attempt, read and joined, on its way to a thread. */
export interface CodeRequest {
  readonly reference: CodeReference;
  readonly program: Program;
  readonly limits: RunLimits;
  /** Answer with what the run brought instead of a verdict on it. */
  readonly raw?: boolean;
  /** Only run the program, with this beside it. Implies `raw`. */
  readonly run?: { readonly stdin: string; readonly files: Readonly<Record<string, string>> };
}

/** What a run brought, for whoever asked not to have it judged here. */
export interface RawRun {
  readonly kind: 'raw';
  readonly run: CodeRun;
  readonly usage: Usage;
}

export function prepare(request: CodeRequest, round: 0 | 1): CellJob {
  const { reference, program, limits } = request;
  const inputs = reference.tests.type === 'stdio' ? reference.tests.cases.length : 0;
  const plan: Plan =
    request.run === undefined ? planOf(reference) : { kind: 'run', ...request.run };
  const payload: CodeJob = {
    language: reference.language,
    program: program.source,
    plan,
    limits,
    stopAtTrouble: reference.stopAtFirst,
    patience: PATIENCE[round],
  };
  const cell = cellLimits(reference.language, limits, plan.kind === 'run' ? 1 : inputs, round);
  return { payload, limits: plan.kind === 'run' ? withSlack(cell) : cell };
}

/** A run that is ended from within can still say what it printed, so that the kill comes second. */
function withSlack(limits: JobLimits): JobLimits {
  return limits.cpuMs === undefined ? limits : { ...limits, cpuMs: limits.cpuMs * 1.25 + 100 };
}

function planOf({ tests }: CodeReference): Plan {
  switch (tests.type) {
    case 'call':
      return { kind: 'call', entry: tests.entry, calls: tests.cases.map(({ args }) => args) };
    case 'stdio':
      return { kind: 'stdio', inputs: tests.cases.map(({ input }) => input) };
    case 'assert':
      return { kind: 'assert', tests: tests.code };
  }
}

export function conclude(
  request: CodeRequest,
  outcome: CellOutcome,
  round: 0 | 1,
): Verdict | RawRun | undefined {
  switch (outcome.kind) {
    case 'done':
      return concludeRun(request, outcome.value, outcome.usage, round);
    case 'killed':
      return concludeKill(request, outcome.limit, outcome.usage, round);
    case 'died': {
      const memory = /memory|heap|allocation/i.test(outcome.detail);
      return judgeTrouble(request, memory ? 'memory' : 'crashed', outcome.usage);
    }
    default:
      return voided('infra', outcome.kind);
  }
}

function concludeRun(
  request: CodeRequest,
  value: unknown,
  usage: Usage,
  round: 0 | 1,
): Verdict | RawRun | undefined {
  const run = readRun(value);
  if (!run) return voided('infra', 'the cell answered out of shape');
  if (run.load?.kind === 'broken-tests')
    return voided('bad-task', `the test program: ${String(run.load.message).slice(0, 300)}`);
  const starved = run.load?.kind === 'starved' || run.tests.at(-1)?.kind === 'starved';
  if (!starved && request.raw) return { kind: 'raw', run, usage };
  if (!starved) return judgeRun(request, run, usage);
  return round === 0 ? undefined : voided('overloaded', 'the machine gave the attempt no CPU time');
}

/** Killed from outside. Only a wall limit with CPU time left may be the machine's fault. */
function concludeKill(
  request: CodeRequest,
  limit: 'wall' | 'cpu' | 'memory' | 'stall',
  usage: Usage,
  round: 0 | 1,
): Verdict | undefined {
  if (limit === 'memory') return judgeTrouble(request, 'memory', usage);
  if (limit === 'stall') return round === 0 ? undefined : judgeTrouble(request, 'memory', usage);
  const starved = usage.cpuMs !== undefined && usage.cpuMs < request.limits.cpuMs;
  if (limit === 'cpu' || (round === 1 && !starved)) return judgeTrouble(request, 'time', usage);
  return round === 0 ? undefined : voided('overloaded', 'the machine gave the attempt no CPU time');
}

function judgeTrouble(
  request: CodeRequest,
  kind: 'memory' | 'time' | 'crashed',
  usage: Usage,
): Verdict {
  return judgeRun(request, { load: { kind }, tests: [], cpuMs: usage.cpuMs ?? 0 }, usage);
}

/** The cell's answer, if it has the shape of one. */
function readRun(value: unknown): CodeRun | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { load, tests, cpuMs } = value as Partial<Record<keyof CodeRun, unknown>>;
  if (!Array.isArray(tests) || typeof cpuMs !== 'number') return undefined;
  if (!tests.every(isRun) || (load !== undefined && !isRun(load))) return undefined;
  return { tests, cpuMs, ...(load === undefined ? {} : { load: load as Trouble }) };
}

function isRun(value: unknown): value is TestRun {
  return typeof value === 'object' && value !== null && 'kind' in value;
}
