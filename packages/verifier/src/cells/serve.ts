/**
 * The child's side of a cell: says when it is ready, answers one job at a time, dies with its parent.
 * What a job means is the handler's business.
 */
import type { FromCell, ToCell } from './protocol.ts';

/** Handler for one payload. What it throws becomes a `failed` answer: trouble of ours, not of the guest. */
export type CellHandler = (payload: unknown) => unknown;

/**
 * Serves jobs until the parent goes away.
 * @param handler runs one job
 * @param between runs after the answer has left: put things back, make the next job's start ready
 */
export function serveCell(handler: CellHandler, between: () => unknown = () => undefined): void {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.on('message', (message: ToCell) => void answer(message, handler, between));
  send({ type: 'ready' });
}

async function answer(job: ToCell, handler: CellHandler, between: () => unknown): Promise<void> {
  const before = process.threadCpuUsage();
  try {
    const value = await handler(job.payload);
    send({ type: 'done', id: job.id, value, cpuMs: cpuSince(before) });
  } catch (error) {
    send({ type: 'failed', id: job.id, detail: describe(error) });
  }
  await between();
}

/** CPU milliseconds of this thread since a `process.threadCpuUsage()` reading. */
export function cpuSince(before: NodeJS.CpuUsage): number {
  const used = process.threadCpuUsage(before);
  return (used.user + used.system) / 1000;
}

/** A last word before the process goes down, kept as the reason of its death. */
export function lastWords(detail: string): void {
  send({ type: 'dying', detail });
}

function send(message: FromCell): void {
  process.send?.(message);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
