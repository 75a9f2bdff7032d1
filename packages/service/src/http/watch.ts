/**
 * Counts verdicts and logs why rows were not judged, because callers may not see the reason. Leaves out: the verdicts
 * themselves.
 */
import type { RowVerdict } from '../judge.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface RowWatch {
  onVerdict(verdict: RowVerdict, ms: number): void;
  /** Logs how many rows were not reported yet. */
  end(): void;
}

/** Shortest interval between two log lines: a fault that affects every row must not fill the log. */
const LOG_INTERVAL_MS = 1_000;

export function watchRows(metrics: Metrics, log: Log): RowWatch {
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  let unreported = 0;
  const report = (message: string) => {
    const more = unreported > 1 ? ` (and ${unreported - 1} more before it)` : '';
    log.note('warn', `${message}${more}`);
    loggedAtMs = performance.now();
    unreported = 0;
  };
  return {
    onVerdict(verdict, ms) {
      metrics.countRow(verdict.status, ms / 1000);
      if (verdict.status !== 'infra_error' && verdict.status !== 'overloaded') return;
      unreported += 1;
      if (performance.now() - loggedAtMs > LOG_INTERVAL_MS) {
        const reason = verdict.diagnostics[0]?.message ?? 'no reason given';
        report(`a row was not judged: ${verdict.status}: ${reason}`);
      }
    },
    end: () => {
      if (unreported > 0) report(`${unreported} more rows were not judged`);
    },
  };
}
