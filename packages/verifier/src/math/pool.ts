/**
 * Verifies math responses under supervision: cheap comparisons in this process, the others in disposable child processes.
 * A comparison that is killed, or that dies in two runs, is judged; an infrastructure failure is a void verdict.
 */
import { JudgingCells, sibling } from '../cells/index.ts';
import { isVerdict, type Verdict, voided } from '../types.ts';
import type { MathJob } from './cell.ts';
import { type MathReference, verdictWithoutProbing } from './verdict.ts';

/** Sizes and limits of a {@link MathPool}. */
export interface MathPoolOptions {
  /** Child processes. They start with the first comparison that needs one. Default 1. */
  readonly workers?: number;
  /** CPU time of one comparison in a child process, in milliseconds. Default 1,000. */
  readonly cpuMs?: number;
  /** Comparisons that may wait for a child process. Beyond it a verdict is void, `overloaded`. Default: no limit. */
  readonly maxQueue?: number;
}

const DEFAULT_WORKERS = 1;
const DEFAULT_CPU_MS = 1_000;
/** Longest response that this process reads and compares itself, in UTF-16 code units: about 1 ms at most. */
const MAX_INLINE_CHARS = 20_000;
/** Memory at which a child is killed, and at which an idle one is replaced. */
const MAX_RSS_MB = 768;
const RECYCLE_RSS_MB = 512;
/** Wall time allowed per CPU time: a busy machine runs a child rarely. */
const WALL_FACTOR = 10;

/** Verifies many math responses with shared child processes. */
export class MathPool {
  readonly #cpuMs: number;
  readonly #cells: JudgingCells;

  constructor({ workers, cpuMs, maxQueue }: MathPoolOptions = {}) {
    this.#cpuMs = cpuMs ?? DEFAULT_CPU_MS;
    this.#cells = new JudgingCells({
      entry: sibling(import.meta.url, './cell'),
      threads: workers ?? DEFAULT_WORKERS,
      recycleRssMb: RECYCLE_RSS_MB,
      ...(maxQueue === undefined ? {} : { maxQueue }),
    });
  }

  /** Process ids of the living cells, for tests. */
  get pids(): readonly number[] {
    return this.#cells.pids;
  }

  /**
   * Verifies one response. Never rejects: a failure of this machinery is a void verdict.
   * @param text the whole response
   * @param signal when it aborts, the verdict is void with the fault `aborted`
   */
  async verify(reference: MathReference, text: string, signal?: AbortSignal): Promise<Verdict> {
    if (signal?.aborted) return voided('aborted', 'aborted before it was judged');
    const isShort = text.length <= MAX_INLINE_CHARS;
    const quick = isShort ? verdictWithoutProbing(reference, { text }) : undefined;
    return quick ?? this.#verifyInCell({ reference, text }, signal);
  }

  #verifyInCell(payload: MathJob, signal: AbortSignal | undefined): Promise<Verdict> {
    const wallMs = this.#cpuMs * WALL_FACTOR;
    const limits = { wallMs, cpuMs: this.#cpuMs, rssMb: MAX_RSS_MB };
    return this.#cells.run(
      { payload, limits, work: 'comparing the answer', audience: 'operator' },
      (value) => (isVerdict(value) ? value : voided('infra', 'a cell returned no verdict')),
      signal,
    );
  }

  /** Ends the child processes. Safe to call twice. */
  close(): Promise<void> {
    return this.#cells.close();
  }
}
