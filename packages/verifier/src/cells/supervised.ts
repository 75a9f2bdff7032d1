/**
 * Sandbox cells for a domain: a pool that opens with its first job and turns every end without a result into a
 * verdict. Leaves out: the meaning of an answer, which the domain reads itself.
 */
import type { Finding } from '../codes.ts';
import { type Audience, judged, type Verdict, voided } from '../types.ts';
import { classifyOutcome, type FailedOutcome } from './outcome.ts';
import { CellPool, type PoolOptions } from './pool.ts';
import type { CellJob, CellOutcome, JobLimits, KillReason, Usage } from './types.ts';

/** A job with what a verdict says if it ends without a result. */
export interface JudgedJob extends CellJob {
  /** What runs, for messages: `the query`. */
  readonly work: string;
  /** Who may read that a limit was exceeded. Default: the policy. */
  readonly audience?: Audience;
}

/** Milliseconds that a job used, in the form that a verdict has them. */
export interface Times {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** Runs the jobs of one domain in supervised child processes. */
export class JudgingCells {
  readonly #options: PoolOptions;
  #pool: CellPool<CellJob, CellOutcome> | undefined;
  #closed = false;

  /** Starts no process: the first {@link run} does. */
  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Process ids of the living cells, for tests. */
  get pids(): readonly number[] {
    return this.#pool?.pids ?? [];
  }

  /**
   * Runs one job. What the job does never makes it reject. A job that is killed, or that dies in two runs, is judged:
   * `time_limit`, `memory_limit` or `crashed`. An infrastructure failure is a void verdict.
   * @param conclude reads the answer of the child. It must not trust it: the job may control the child
   */
  async run<T = Verdict>(
    { work, audience = 'policy', ...job }: JudgedJob,
    conclude: (value: unknown, times: Times) => T,
    signal?: AbortSignal,
  ): Promise<T | Verdict> {
    if (this.#closed) return voided('aborted', 'the pool is closed');
    this.#pool ??= new CellPool(this.#options);
    const reply = await this.#pool.run(job, signal);
    if (reply.kind === 'void') return voided(reply.fault, reply.detail);
    const outcome = reply.result;
    if (outcome.kind === 'done') return conclude(outcome.value, timesOf(outcome.usage));
    return judgeFailure(outcome, job.limits, work, audience);
  }

  /** Ends the cells. Jobs that run are answered with `aborted`. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool?.close();
  }
}

function judgeFailure(
  outcome: FailedOutcome,
  limits: JobLimits,
  work: string,
  audience: Audience,
): Verdict {
  const end = classifyOutcome(outcome, false);
  if (end.kind === 'void') return end;
  const times = timesOf(end.usage);
  if (outcome.kind !== 'killed') {
    const detail = 'detail' in outcome ? outcome.detail.slice(0, 300) : '';
    const message = `${work} crashed its process: ${detail}`;
    const finding: Finding<'cells'> = { code: 'crashed', audience: 'operator', message };
    return judged('crashed', [finding], times);
  }
  const { limit } = outcome;
  const message = `${work} was stopped: it used more than ${describeLimit(limit, limits)}`;
  const [status, code] =
    end.cause === 'memory'
      ? (['memory_limit', 'memory-limit'] as const)
      : (['time_limit', 'time-limit'] as const);
  const finding: Finding<'cells'> = { code, audience, message, details: { limit } };
  return judged(status, [finding], times);
}

function describeLimit(limit: KillReason, { cpuMs, rssMb, wallMs, stallMs }: JobLimits): string {
  switch (limit) {
    case 'memory':
      return `${rssMb} MB of memory`;
    case 'cpu':
      return `${cpuMs} ms of CPU time`;
    case 'wall':
      return `${wallMs} ms`;
    case 'stall':
      return `${stallMs} ms without using the CPU`;
  }
}

function timesOf({ cpuMs, wallMs }: Usage): Times {
  return { cpuMs: cpuMs ?? wallMs, wallMs };
}
