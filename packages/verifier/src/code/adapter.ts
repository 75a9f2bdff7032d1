/**
 * Runs in the threads of the pool. Builds the job for the cell, which never contains expected values, and turns the
 * outcome of the cell into a verdict.
 */
import { isRecord } from '@cipo/support';
import { classifyOutcome, type FailedOutcome, type JobEnd } from '../cells/outcome.ts';
import type { CellJob, CellOutcome, JobLimits, Usage } from '../cells/types.ts';
import { type Verdict, voided } from '../types.ts';
import type { AbnormalEnd, CodeJob, CodeRun, Plan, TestRun } from './job.ts';
import { judgeRun } from './judge.ts';
import { cellLimits, WALL_FACTOR } from './limits.ts';
import type { CodeReference } from './reference.ts';
import type { CodeRequest, RawRun } from './request.ts';

/** `JobAdapter.prepare` for code. */
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
    stopAtAbnormalEnd: reference.stopAtFirst,
    wallFactor: WALL_FACTOR[round],
  };
  const cell = cellLimits(reference.language, limits, plan.kind === 'run' ? 1 : inputs, round);
  return { payload, limits: plan.kind === 'run' ? withSlack(cell) : cell };
}

/** Gives the cell time to end the run itself: then it still returns what was printed, which a kill would lose. */
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

/** `JobAdapter.conclude` for code. */
export function conclude(
  request: CodeRequest,
  outcome: CellOutcome,
  round: 0 | 1,
): Verdict | RawRun | undefined {
  return outcome.kind === 'done'
    ? concludeRun(request, outcome.value, outcome.usage, round)
    : concludeFailure(request, outcome, round);
}

function concludeRun(
  request: CodeRequest,
  value: unknown,
  usage: Usage,
  round: 0 | 1,
): Verdict | RawRun | undefined {
  const run = readRun(value);
  if (!run) return voided('infra', 'expected a run from the cell, got a value of another shape');
  if (run.load?.kind === 'broken-tests') {
    return voided('bad-task', `the test program: ${String(run.load.message).slice(0, 300)}`);
  }
  const isStarved = run.load?.kind === 'starved' || run.tests.at(-1)?.kind === 'starved';
  if (isStarved) return retryStarved(round);
  return request.raw ? { kind: 'raw', run, usage } : judgeRun(request, run, usage);
}

/** A kill at the wall limit, or of a sleeping thread, can be the fault of a busy machine: such a request runs again. */
function concludeFailure(
  request: CodeRequest,
  outcome: FailedOutcome,
  round: 0 | 1,
): Verdict | undefined {
  const end = classifyOutcome(outcome, true);
  if (end.kind === 'void') return end;
  if (outcome.kind === 'killed' && (outcome.limit === 'wall' || outcome.limit === 'stall')) {
    if (round === 0) return undefined;
    const { cpuMs } = outcome.usage;
    const isStarved = cpuMs !== undefined && cpuMs < request.limits.cpuMs;
    if (outcome.limit === 'wall' && isStarved) return retryStarved(round);
  }
  return judgeEnd(request, end);
}

function retryStarved(round: 0 | 1): Verdict | undefined {
  return round === 0 ? undefined : voided('overloaded', 'the machine gave the attempt no CPU time');
}

function judgeEnd(request: CodeRequest, { cause, usage }: JobEnd): Verdict {
  return judgeRun(request, { load: { kind: cause }, tests: [], cpuMs: usage.cpuMs ?? 0 }, usage);
}

/** Reads the untrusted answer of a cell. Returns undefined if it has another shape. */
function readRun(value: unknown): CodeRun | undefined {
  if (!isRecord(value)) return undefined;
  const { load, tests, cpuMs } = value;
  if (!Array.isArray(tests) || typeof cpuMs !== 'number') return undefined;
  if (!tests.every(isTestRun) || (load !== undefined && !isTestRun(load))) return undefined;
  return { tests, cpuMs, ...(load === undefined ? {} : { load: load as AbnormalEnd }) };
}

function isTestRun(value: unknown): value is TestRun {
  return isRecord(value) && 'kind' in value;
}
