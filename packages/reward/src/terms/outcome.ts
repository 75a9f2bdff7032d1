/** Terms that read the verdict: whether the attempt is correct, whether it could be read, how many tests it passes. */
import type { Status } from '@cipo/verifier/types';
import { reward } from '../binary.ts';
import type { Scored } from './types.ts';

/** 1 for an accepted attempt, else 0. This is the reward of the paper. */
export function correct({ verdict }: Scored): number {
  return reward(verdict);
}

/** Statuses of attempts in which the domain found nothing to judge. */
const UNREADABLE: ReadonlySet<Status> = new Set([
  'unreadable_answer',
  'compile_error',
  'missing_entry',
  'source_limit',
]);

/** 1 if the attempt has the form that its domain reads (a boxed answer, a program that compiles), else 0. */
export function format({ verdict }: Scored): number {
  return UNREADABLE.has(verdict.status) ? 0 : 1;
}

/**
 * Share of the tests that passed. It reads `passed` and `total` from the details of the diagnostic `tests-failed`. Without
 * that diagnostic the term is 1 for a correct attempt and 0 for an incorrect one. Tests that did not run count as failed.
 */
export function tests({ verdict }: Scored): number {
  const { passed, total } =
    verdict.diagnostics.find(({ code }) => code === 'tests-failed')?.details ?? {};
  const isCounted = typeof passed === 'number' && typeof total === 'number' && total > 0;
  return isCounted && !verdict.passed ? Math.min(1, Math.max(0, passed / total)) : reward(verdict);
}
