/** Counts verdicts, and tells the operator why rows were not judged: callers may not see that. Leaves out: the verdicts themselves. */
import type { RowVerdict } from '../judge.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface RowWatch {
  judged(verdict: RowVerdict, ms: number): void;
  /** Tells what was held back. */
  end(): void;
}

/** A fault that strikes every row must not fill the log. */
const EVERY_MS = 1_000;

export function watchRows(metrics: Metrics, log: Log): RowWatch {
  let toldAt = Number.NEGATIVE_INFINITY;
  let untold = 0;
  const tell = (message: string) => {
    const more = untold > 1 ? ` (and ${untold - 1} before it)` : '';
    log.note('warn', `${message}${more}`);
    toldAt = performance.now();
    untold = 0;
  };
  return {
    judged(verdict, ms) {
      metrics.judged(verdict.status, ms / 1000);
      if (verdict.status !== 'infra_error' && verdict.status !== 'overloaded') return;
      untold += 1;
      if (performance.now() - toldAt > EVERY_MS)
        tell(`a row ended as ${verdict.status}: ${verdict.diagnostics[0]?.message ?? 'no reason'}`);
    },
    end: () => {
      if (untold > 0) tell(`${untold} more rows were not judged`);
    },
  };
}
