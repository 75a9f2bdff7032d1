/**
 * The child's side of a cell: says when it is ready, answers one job at a time, dies with its parent.
 * What a job means is the handler's business.
 */
import type { FromCell, ToCell } from './protocol.ts';

/** Handler for one payload. What it throws becomes a `failed` answer: trouble of ours, not of the guest. */
export type CellHandler = (payload: unknown) => unknown;

/** What a cell does around its jobs, none of it on a job's time. */
export interface CellHooks {
  /** Runs before a job begins: its limits do not count yet. */
  readonly prepare?: (payload: unknown) => unknown;
  /** Runs after an answer has left: put things back, make the next job's start ready. */
  readonly between?: () => unknown;
}

/** Serves jobs, one after another, until the parent goes away. */
export function serveCell(handler: CellHandler, hooks: CellHooks = {}): void {
  let tail: Promise<void> = Promise.resolve();
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.on('message', (message: ToCell) => {
    tail = tail.then(() => answer(message, handler, hooks));
  });
  send({ type: 'ready' });
}

async function answer(job: ToCell, handler: CellHandler, hooks: CellHooks): Promise<void> {
  try {
    await hooks.prepare?.(job.payload);
    send({ type: 'begun', id: job.id });
    const before = process.threadCpuUsage();
    const began = performance.now();
    const value = await handler(job.payload);
    const wallMs = performance.now() - began;
    send({ type: 'done', id: job.id, value, cpuMs: cpuSince(before), wallMs });
  } catch (error) {
    send({ type: 'failed', id: job.id, detail: describe(error) });
  }
  await hooks.between?.();
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
