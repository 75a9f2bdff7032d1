/**
 * Cells for a domain: a pool that opens with its first job and turns every end but an answer into a verdict. What an
 * answer is worth stays with the domain.
 */
import type { Finding } from '../codes.ts';
import { type Audience, judged, type Verdict, voided } from '../types.ts';
import { CellPool, type PoolOptions, type PoolReply } from './pool.ts';
import type { CellJob, CellOutcome, JobLimits, KillReason } from './types.ts';

export interface JudgedJob extends CellJob {
  /** What runs, for messages: `the query`. */
  readonly work: string;
  /** Who may read that a limit was hit. Default: the policy. */
  readonly audience?: Audience;
}

/** CPU and wall time of a job, as a verdict has them. */
export interface Times {
  readonly cpuMs: number;
  readonly wallMs: number;
}

export class JudgingCells {
  readonly #options: PoolOptions;
  #pool: CellPool<CellJob, CellOutcome> | undefined;
  #closed = false;

  /** Starts nothing yet. */
  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Ids of the living cells, for tests. */
  get pids(): readonly number[] {
    return this.#pool?.pids ?? [];
  }

  /**
   * Runs one job. Never rejects for what the job does. A kill is a judgement, for a bomb must be no way out, and so is
   * a death, which has been tried again by then; trouble of ours is void.
   * @param conclude reads the child's answer, with suspicion: the child may have been taken over
   */
  async run<T = Verdict>(
    { work, audience = 'policy', ...job }: JudgedJob,
    conclude: (value: unknown, times: Times) => T,
    signal?: AbortSignal,
  ): Promise<T | Verdict> {
    if (this.#closed) return voided('aborted', 'the pool is closed');
    this.#pool ??= new CellPool(this.#options);
    const reply = await this.#pool.run(job, signal);
    const outcome = answered(reply);
    if (outcome) return conclude(outcome.value, timesOf(outcome));
    return withoutAnswer(reply, job.limits, work, audience);
  }

  /** Ends the cells; what is under way answers `aborted`. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool?.close();
  }
}

type Reply = PoolReply<CellOutcome>;
type Used = Extract<CellOutcome, { usage: unknown }>;

const answered = (reply: Reply) =>
  reply.kind === 'result' && reply.result.kind === 'done' ? reply.result : undefined;

function withoutAnswer(reply: Reply, limits: JobLimits, work: string, audience: Audience): Verdict {
  if (reply.kind === 'void') return voided(reply.fault, reply.detail);
  const outcome = reply.result;
  if (outcome.kind === 'killed') return killed(outcome, limits, work, audience);
  if (outcome.kind === 'unavailable') return voided('infra', outcome.detail);
  if (outcome.kind !== 'died') return voided('aborted', 'aborted by its owner');
  const message = `${work} brought its process down: ${outcome.detail.slice(0, 300)}`;
  const finding: Finding<'cells'> = { code: 'crashed', audience: 'operator', message };
  return judged('crashed', [finding], timesOf(outcome));
}

function killed(
  outcome: Extract<CellOutcome, { kind: 'killed' }>,
  limits: JobLimits,
  work: string,
  audience: Audience,
): Verdict {
  const { limit } = outcome;
  const [status, code] =
    limit === 'memory'
      ? (['memory_limit', 'memory-limit'] as const)
      : (['time_limit', 'time-limit'] as const);
  const message = `${work} was stopped: it used more than ${amount(limit, limits)}`;
  const finding: Finding<'cells'> = { code, audience, message, details: { limit } };
  return judged(status, [finding], timesOf(outcome));
}

function amount(limit: KillReason, { cpuMs, rssMb, wallMs, stallMs }: JobLimits): string {
  switch (limit) {
    case 'memory':
      return `${rssMb} MB of memory`;
    case 'cpu':
      return `${cpuMs} ms of CPU time`;
    case 'wall':
      return `${wallMs} ms`;
    case 'stall':
      return `${stallMs} ms without doing anything`;
  }
}

const timesOf = ({ usage }: Used): Times => ({
  cpuMs: usage.cpuMs ?? usage.wallMs,
  wallMs: usage.wallMs,
});
