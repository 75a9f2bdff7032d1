/**
 * What a job that ended without a result means for a verdict. Every domain that runs jobs in cells uses this one
 * table. Leaves out: the words of the verdict.
 */
import { type Void, voided } from '../types.ts';
import type { CellOutcome, Usage } from './types.ts';

/** An outcome without a result of the child. */
export type FailedOutcome = Exclude<CellOutcome, { kind: 'done' }>;

/** How the job itself ended: it is judged, because otherwise a job could escape its verdict by ending its cell. */
export interface JobEnd {
  readonly kind: 'ended';
  readonly cause: 'time' | 'memory' | 'crashed';
  readonly usage: Usage;
}

/**
 * A job that was killed or died is judged. A cell that was not there, or a caller who canceled, makes the verdict
 * void.
 * @param usesIsolate whether the work runs in an isolate inside the child. V8 parks the thread of an isolate without
 *   memory, and the child names memory before it dies, so that a stall and such a death mean `memory`
 */
export function classifyOutcome(outcome: FailedOutcome, usesIsolate: boolean): JobEnd | Void {
  switch (outcome.kind) {
    case 'aborted':
      return voided('aborted', 'the caller cancelled');
    case 'unavailable':
      return voided('infra', outcome.detail);
    case 'died': {
      const isOutOfMemory = usesIsolate && /memory|heap|allocation/i.test(outcome.detail);
      return endOf(outcome.usage, isOutOfMemory ? 'memory' : 'crashed');
    }
    case 'killed': {
      const { limit, usage } = outcome;
      const isMemory = limit === 'memory' || (limit === 'stall' && usesIsolate);
      return endOf(usage, isMemory ? 'memory' : 'time');
    }
  }
}

function endOf(usage: Usage, cause: JobEnd['cause']): JobEnd {
  return { kind: 'ended', cause, usage };
}
