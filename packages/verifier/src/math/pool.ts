/**
 * Judging with supervision: cheap comparisons here, the rest in disposable child processes with a hard kill.
 * A kill is judged (a bomb is no way out), a death is tried again alone, then judged; trouble of ours is void.
 */

import { type CellJob, type CellOutcome, CellPool, sibling } from '../cells/index.ts';
import { judged, type Verdict, voided } from '../types.ts';
import type { MathJob } from './cell.ts';
import { cheaply } from './equal/effort.ts';
import { type MathReference, verdictOf } from './verdict.ts';

export interface MathPoolOptions {
  /** Cells, each with its thread. They start with the first comparison that needs one. */
  readonly workers?: number;
  /** CPU time of one comparison in a cell. */
  readonly cpuMs?: number;
  /** Comparisons that may wait for a cell. Beyond it a verdict is void, `overloaded`. Default: no bound. */
  readonly maxQueue?: number;
}

const DEFAULT_WORKERS = 1;
const DEFAULT_CPU_MS = 1_000;
/** Responses up to this length are extracted, read and cheaply compared in this process: about a millisecond at worst. */
const MAX_INLINE = 20_000;

export class MathPool {
  readonly #options: MathPoolOptions;
  #cells: CellPool<CellJob, CellOutcome> | undefined;
  #closed = false;

  constructor(options: MathPoolOptions = {}) {
    this.#options = options;
  }

  /** Ids of the living cells, for tests. */
  get pids(): readonly number[] {
    return this.#cells?.pids ?? [];
  }

  async verify(reference: MathReference, text: string, signal?: AbortSignal): Promise<Verdict> {
    if (signal?.aborted) return voided('aborted', 'aborted before it was judged');
    const quick =
      text.length <= MAX_INLINE ? cheaply(() => verdictOf(reference, { text })) : undefined;
    return quick ?? this.#inCell({ reference, text }, signal);
  }

  async #inCell(payload: MathJob, signal: AbortSignal | undefined): Promise<Verdict> {
    if (this.#closed) return voided('aborted', 'the pool is closed');
    this.#cells ??= new CellPool({
      entry: sibling(import.meta.url, './cell'),
      threads: this.#options.workers ?? DEFAULT_WORKERS,
      recycleRssMb: 512,
      ...(this.#options.maxQueue === undefined ? {} : { maxQueue: this.#options.maxQueue }),
    });
    const cpuMs = this.#options.cpuMs ?? DEFAULT_CPU_MS;
    const reply = await this.#cells.run(
      { payload, limits: { wallMs: cpuMs * 10, cpuMs, rssMb: 768 } },
      signal,
    );
    return reply.kind === 'void'
      ? voided(reply.fault, reply.detail)
      : concluded(reply.result, cpuMs);
  }

  /** Ends the cells. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#cells?.close();
  }
}

function concluded(outcome: CellOutcome, cpuMs: number): Verdict {
  switch (outcome.kind) {
    case 'done':
      return isVerdict(outcome.value) ? outcome.value : voided('infra', 'a cell gave no verdict');
    case 'killed': {
      const status = outcome.limit === 'memory' ? 'memory_limit' : 'time_limit';
      const message = `comparing the answer was stopped at its ${outcome.limit} limit (${cpuMs} ms of CPU time)`;
      return judged(
        status,
        [{ code: 'time-limit', audience: 'operator', message, details: { limit: outcome.limit } }],
        times(outcome),
      );
    }
    case 'died':
      return judged(
        'crashed',
        [{ code: 'crashed', audience: 'operator', message: outcome.detail.slice(0, 300) }],
        times(outcome),
      );
    case 'aborted':
      return voided('aborted', 'aborted');
    case 'unavailable':
      return voided('infra', outcome.detail);
  }
}

const times = (
  outcome: CellOutcome & { kind: 'killed' | 'died' },
): { cpuMs: number; wallMs: number } => ({
  cpuMs: outcome.usage.cpuMs ?? outcome.usage.wallMs,
  wallMs: outcome.usage.wallMs,
});

/** A cell runs our own code on parsed text, yet its message is checked like any other. */
function isVerdict(value: unknown): value is Verdict {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  if (value.kind === 'void') return 'fault' in value && 'detail' in value;
  return (
    value.kind === 'judged' &&
    'passed' in value &&
    'status' in value &&
    value.passed === (value.status === 'accepted')
  );
}
