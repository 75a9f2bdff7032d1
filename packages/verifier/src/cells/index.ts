/**
 * @packageDocumentation
 * Supervised, disposable child processes for domains that run what a policy wrote, plug-ins
 * included. Leaves out: the side of the child, which is `@cipo/verifier/cells/serve` and loads less.
 */
export { sibling } from './command.ts';
export { cellCounts, type PoolOptions } from './pool.ts';
export { type JudgedJob, JudgingCells, type Times } from './supervised.ts';
export type { CellJob, CellSpec, JobLimits } from './types.ts';
