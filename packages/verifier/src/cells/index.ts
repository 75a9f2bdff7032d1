/** Supervised, disposable child processes and pools of them. Domains build on this; it judges nothing. */
export { Cell, type CellEvents } from './cell.ts';
export { sibling } from './command.ts';
export { CellPool, cellCounts, type PoolOptions, type PoolReply } from './pool.ts';
export { type CellHandler, type CellHooks, cpuSince, lastWords, serveCell } from './serve.ts';
export type { CellJob, CellOutcome, CellSpec, Desk, JobLimits, Usage } from './types.ts';
