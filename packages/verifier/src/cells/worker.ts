/**
 * What each thread of a {@link CellPool} runs: it owns one cell and runs one request at a time in it. The adapter, if
 * there is one, prepares the job and concludes the result here, off the main thread.
 */
import { workerData } from 'piscina';
import { Cell } from './cell.ts';
import { PidTable } from './registry.ts';
import type { CellJob, CellOutcome, CellSpec, JobAdapter } from './types.ts';

/** What the pool gives to each of its threads. */
interface ThreadData {
  readonly spec: CellSpec;
  readonly adapter: string | undefined;
  readonly pids: SharedArrayBuffer;
}

/** One request on its way to a thread. `cancel[0]` becomes 1 when the caller cancels. */
export interface ThreadTask {
  readonly request: unknown;
  readonly round: 0 | 1;
  readonly cancel: SharedArrayBuffer | undefined;
}

/** `retry` requests round 1. `failure` is an outcome that no adapter has seen. */
export type ThreadReply =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'retry'; readonly outcome: CellOutcome }
  | { readonly kind: 'failure'; readonly outcome: CellOutcome };

/** Without an adapter the request is the job, and the outcome is the result. */
const PLAIN_ADAPTER: JobAdapter = {
  prepare: (request) => request as CellJob,
  conclude: (_request, outcome) => outcome,
};

const data: ThreadData = workerData;
const pids = new PidTable(data.pids);
const adapter: JobAdapter = data.adapter
  ? ((await import(data.adapter)) as JobAdapter)
  : PLAIN_ADAPTER;
const cell = new Cell(data.spec, {
  onStart: (pid) => pids.add(pid),
  onEnd: (pid) => pids.remove(pid),
});
cell.start().catch(() => undefined); // the first job meets the same failure and reports it

/** How often a job of round 1 runs again when its cell was killed by others. */
const EXTRA_RUNS = 2;

/**
 * Whether the kernel or an operator killed the cell. The job may be the reason, on a machine without memory, so that it
 * is judged in the end. But most jobs that are killed twice did nothing wrong.
 */
function isKilledByOthers(outcome: CellOutcome): boolean {
  return outcome.kind === 'died' && outcome.detail.startsWith('SIGKILL');
}

export default async function work(task: ThreadTask): Promise<ThreadReply> {
  const flag = task.cancel && new Int32Array(task.cancel);
  const isCancelled = () => pids.closing || (flag !== undefined && Atomics.load(flag, 0) === 1);
  const job = adapter.prepare(task.request, task.round);
  let outcome = await cell.run(job, isCancelled, task.round === 1);
  for (let left = task.round === 1 ? EXTRA_RUNS : 0; left > 0; left -= 1) {
    if (!isKilledByOthers(outcome) || isCancelled()) break;
    outcome = await cell.run(job, isCancelled, true);
  }
  if (pids.closing) await cell.close();
  if (outcome.kind === 'aborted' || outcome.kind === 'unavailable') {
    return { kind: 'failure', outcome };
  }
  if (outcome.kind === 'died' && task.round === 0) return { kind: 'retry', outcome };
  const result = adapter.conclude(task.request, outcome, task.round);
  return result === undefined ? { kind: 'retry', outcome } : { kind: 'result', result };
}
