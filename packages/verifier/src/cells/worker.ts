/**
 * What each thread of a {@link CellPool} runs: it owns one cell and hands it one request at a time.
 * The desk, if there is one, prepares the job and concludes the result here, off the main thread.
 */
import { workerData } from 'piscina';
import { Cell } from './cell.ts';
import { PidTable } from './registry.ts';
import type { CellJob, CellOutcome, CellSpec, Desk } from './types.ts';

/** What the pool gives to each of its threads. */
export interface ThreadData {
  readonly spec: CellSpec;
  readonly desk: string | undefined;
  readonly pids: SharedArrayBuffer;
}

/** One request on its way to a thread. `cancel[0]` turns 1 when its owner no longer wants it. */
export interface ThreadTask {
  readonly request: unknown;
  readonly round: 0 | 1;
  readonly cancel: SharedArrayBuffer | undefined;
}

/** `again` asks for round 1; a `trouble` outcome never reached a judge. */
export type ThreadReply =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'again'; readonly outcome: CellOutcome }
  | { readonly kind: 'trouble'; readonly outcome: CellOutcome };

/** Without a desk the request is the job and the outcome the result. */
const plainDesk: Desk = {
  prepare: (request) => request as CellJob,
  conclude: (_request, outcome) => outcome,
};

const data: ThreadData = workerData;
const pids = new PidTable(data.pids);
const desk: Desk = data.desk ? ((await import(data.desk)) as Desk) : plainDesk;
const cell = new Cell(data.spec, {
  started: (pid) => pids.add(pid),
  ended: (pid) => pids.remove(pid),
});
cell.start().catch(() => undefined); // the first job will meet the same trouble and report it

/** Further runs of a job that was alone when its cell was killed. */
const MORE_RUNS = 2;

/**
 * Killed, but not by us: by the kernel or by an operator. A job may be to blame (a machine without memory), so it is
 * judged in the end; but most that are killed twice only had bad luck.
 */
function killedByOthers(outcome: CellOutcome): boolean {
  return outcome.kind === 'died' && outcome.detail.startsWith('SIGKILL');
}

export default async function work(task: ThreadTask): Promise<ThreadReply> {
  const flag = task.cancel && new Int32Array(task.cancel);
  const cancelled = () => pids.closing || (flag !== undefined && Atomics.load(flag, 0) === 1);
  const job = desk.prepare(task.request, task.round);
  let outcome = await cell.run(job, cancelled, task.round === 1);
  for (let left = task.round === 1 ? MORE_RUNS : 0; left > 0; left -= 1) {
    if (!killedByOthers(outcome) || cancelled()) break;
    outcome = await cell.run(job, cancelled, true);
  }
  if (pids.closing) await cell.close();
  if (outcome.kind === 'aborted' || outcome.kind === 'unavailable') {
    return { kind: 'trouble', outcome };
  }
  if (outcome.kind === 'died' && task.round === 0) return { kind: 'again', outcome };
  const result = desk.conclude(task.request, outcome, task.round);
  return result === undefined ? { kind: 'again', outcome } : { kind: 'result', result };
}
