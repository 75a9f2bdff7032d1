/**
 * @packageDocumentation
 * The side of the child: reports that it is ready, answers one job at a time, and dies with its parent.
 * Leaves out: what a job means. The handler knows that.
 */
import type { FromCell, ToCell } from './protocol.ts';

/**
 * Computes the answer to one payload. The answer must survive JSON. An error that it throws is an infrastructure
 * failure: the verdict is void.
 */
export type CellHandler = (payload: unknown) => unknown;

/** Work around the jobs. It does not count against the limits of a job. */
export interface CellHooks {
  /** Runs before a job begins. */
  readonly prepare?: (payload: unknown) => unknown;
  /** Runs after the answer was sent: restores state and prepares the next job. */
  readonly between?: () => unknown;
}

/**
 * Serves jobs one after another until the parent disconnects. Call it once in the script that `CellSpec.entry` names.
 *
 * ```ts
 * serveCell((payload) => String(payload).length);
 * ```
 */
export function serveCell(handler: CellHandler, hooks: CellHooks = {}): void {
  let tail: Promise<void> = Promise.resolve();
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.on('message', (message: ToCell) => {
    tail = tail.then(() => runJob(message, handler, hooks));
  });
  send({ type: 'ready' });
}

async function runJob(job: ToCell, handler: CellHandler, hooks: CellHooks): Promise<void> {
  try {
    await hooks.prepare?.(job.payload);
    send({ type: 'begun', id: job.id });
    const cpuBefore = readCpu();
    const startedAt = performance.now();
    const value = await handler(job.payload);
    const wallMs = performance.now() - startedAt;
    send({ type: 'done', id: job.id, value, cpuMs: cpuSince(cpuBefore), wallMs });
  } catch (error) {
    send({ type: 'failed', id: job.id, detail: describeError(error) });
  }
  await hooks.between?.();
}

/** CPU time of this thread. Node 22 and older only report that of the whole process. */
function readCpu(before?: NodeJS.CpuUsage): NodeJS.CpuUsage {
  const isPerThread = typeof process.threadCpuUsage === 'function';
  return isPerThread ? process.threadCpuUsage(before) : process.cpuUsage(before);
}

/** CPU milliseconds of this thread since a reading of `process.threadCpuUsage()`. */
export function cpuSince(before: NodeJS.CpuUsage): number {
  const used = readCpu(before);
  return (used.user + used.system) / 1000;
}

/** Reports why this process is about to die. The parent uses it as the reason of the death. */
export function reportDeath(detail: string): void {
  send({ type: 'dying', detail });
}

function send(message: FromCell): void {
  process.send?.(message);
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
