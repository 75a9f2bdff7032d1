/**
 * Every diagnostic code of this package, grouped by the part that reports it. docs/reference/statuses.md explains each.
 * Leaves out: the codes of plug-ins, which define their own.
 */
import type { Diagnostic } from './types.ts';

/** Codes for work in a sandbox cell that ended without a result. The math domain reports them too. */
const CELLS = ['time-limit', 'memory-limit', 'crashed'] as const;

/** The codes of each part: sandbox cells, the math domain, the code domain. */
export const CODES = {
  cells: CELLS,
  math: ['extracted', 'right-answer', 'wrong-answer', 'no-answer', 'unreadable-answer', ...CELLS],
  code: [
    'wrong-answer',
    'tests-failed',
    'unreadable-answer',
    'compile-error',
    'runtime-error',
    'missing-entry',
    'unresolved-promise',
    'early-exit',
    'time-limit',
    'memory-limit',
    'output-limit',
    'source-limit',
    'sandbox-violation',
    'crashed',
    'starved',
    'broken-tests',
  ],
} as const;

/** A {@link Diagnostic} of one part of this package. The compiler rejects a code that is not in {@link CODES}. */
export interface Finding<Source extends keyof typeof CODES> extends Diagnostic {
  readonly code: (typeof CODES)[Source][number];
}
