/**
 * Judging with supervision: cheap comparisons here, the rest in disposable child processes with a hard kill.
 * A kill is judged (a bomb is no way out), a death is tried again alone, then judged; trouble of ours is void.
 */

import { JudgingCells, sibling } from '../cells/index.ts';
import { type Verdict, voided } from '../types.ts';
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
  readonly #cpuMs: number;
  readonly #cells: JudgingCells;

  constructor({ workers, cpuMs, maxQueue }: MathPoolOptions = {}) {
    this.#cpuMs = cpuMs ?? DEFAULT_CPU_MS;
    this.#cells = new JudgingCells({
      entry: sibling(import.meta.url, './cell'),
      threads: workers ?? DEFAULT_WORKERS,
      recycleRssMb: 512,
      ...(maxQueue === undefined ? {} : { maxQueue }),
    });
  }

  /** Ids of the living cells, for tests. */
  get pids(): readonly number[] {
    return this.#cells.pids;
  }

  async verify(reference: MathReference, text: string, signal?: AbortSignal): Promise<Verdict> {
    if (signal?.aborted) return voided('aborted', 'aborted before it was judged');
    const quick =
      text.length <= MAX_INLINE ? cheaply(() => verdictOf(reference, { text })) : undefined;
    return quick ?? this.#inCell({ reference, text }, signal);
  }

  #inCell(payload: MathJob, signal: AbortSignal | undefined): Promise<Verdict> {
    const limits = { wallMs: this.#cpuMs * 10, cpuMs: this.#cpuMs, rssMb: 768 };
    return this.#cells.run(
      { payload, limits, work: 'comparing the answer', audience: 'operator' },
      (value) => (isVerdict(value) ? value : voided('infra', 'a cell gave no verdict')),
      signal,
    );
  }

  /** Ends the cells. Safe to call twice. */
  close(): Promise<void> {
    return this.#cells.close();
  }
}

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
