/** Counts verdicts by status and by file. Leaves out: formatting (summary.ts). */
import type { RowVerdict } from '@cipo/service';

export interface Counts {
  readonly rows: number;
  readonly passed: number;
  readonly failed: number;
  readonly unjudged: number;
}

/** How many rows without a judgment the summary shows. */
export const SHOWN_PROBLEMS = 5;

const NONE: Counts = { rows: 0, passed: 0, failed: 0, unjudged: 0 };

export class Tally {
  readonly #startedMs = performance.now();
  readonly byStatus = new Map<string, number>();
  readonly byFile = new Map<string, Counts>();
  readonly problems: string[] = [];
  total: Counts = NONE;
  cpuMs = 0;

  get seconds(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }

  get badRows(): number {
    return this.byStatus.get('bad_task') ?? 0;
  }

  /** Rows without a judgment for a reason other than the row. */
  get voids(): number {
    return this.total.unjudged - this.badRows;
  }

  add(verdict: RowVerdict, file: string): void {
    const { status } = verdict;
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1);
    this.byFile.set(file, countVerdict(this.byFile.get(file) ?? NONE, verdict));
    this.total = countVerdict(this.total, verdict);
    this.cpuMs += verdict.cpuMs;
    if (verdict.passed === null && this.problems.length < SHOWN_PROBLEMS) {
      this.problems.push(`${verdict.id}: ${verdict.diagnostics[0]?.message ?? status}`);
    }
  }
}

function countVerdict(before: Counts, { passed }: RowVerdict): Counts {
  return {
    rows: before.rows + 1,
    passed: before.passed + Number(passed === true),
    failed: before.failed + Number(passed === false),
    unjudged: before.unjudged + Number(passed === null),
  };
}

/** 95 % interval of a share of independent rows (Wilson, 1927). NaN for n = 0. */
export function wilson(hits: number, n: number): { low: number; high: number } {
  if (n === 0) return { low: Number.NaN, high: Number.NaN };
  const z = 1.959964;
  const p = hits / n;
  const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n);
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
