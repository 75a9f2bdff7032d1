/**
 * Supervised, disposable child processes and pools of them: what runs anything that a policy wrote. Domains build on
 * this, plug-ins too (docs/guide/domains.md). It judges nothing but what a limit says by itself. The child's side alone, which
 * loads no more than it needs, is `@cipo/verifier/cells/serve`.
 */
export { Cell, type CellEvents } from './cell.ts';
export { sibling } from './command.ts';
export { type JudgedJob, JudgingCells, type Times } from './judge.ts';
export { CellPool, cellCounts, type PoolOptions, type PoolReply } from './pool.ts';
export { type CellHandler, type CellHooks, cpuSince, lastWords, serveCell } from './serve.ts';
export type { CellJob, CellOutcome, CellSpec, Desk, JobLimits, Usage } from './types.ts';
