/**
 * Every code that a diagnostic of this package can have, by what gives it; docs/statuses.md says what each means. A
 * plug-in has codes of its own.
 */
import type { Diagnostic } from './types.ts';

/** Of work in a cell that gave no answer; the math domain has them too. */
const CELLS = ['time-limit', 'memory-limit', 'crashed'] as const;

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

/** A diagnostic whose code is one of those of its source: another does not compile. */
export interface Finding<Source extends keyof typeof CODES> extends Diagnostic {
  readonly code: (typeof CODES)[Source][number];
}
