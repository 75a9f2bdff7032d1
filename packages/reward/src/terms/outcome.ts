/** Terms that read the verdict: whether the attempt is right, readable, and how much of it works. */
import type { Status } from '@cipo/verifier/types';
import { reward } from '../binary.ts';
import type { Term } from './types.ts';

/** 1 for an accepted attempt, else 0: the reward of the paper. */
export const correct: Term = ({ verdict }) => reward(verdict);

/** Statuses of attempts in which the domain found nothing that it could judge. */
const UNREADABLE: ReadonlySet<Status> = new Set([
  'unreadable_answer',
  'compile_error',
  'missing_entry',
  'source_limit',
]);

/** 1 where the attempt has the form that its domain reads (an answer in its place, a program that compiles), else 0. */
export const format: Term = ({ verdict }) => (UNREADABLE.has(verdict.status) ? 0 : 1);

/**
 * Share of tests passed. It stands on the diagnostic `tests-failed`, whose details are `passed` and `total`; without it
 * there is no part, and the term is 1 or 0 as the attempt is right or wrong. Tests that were not reached count as failed.
 */
export const tests: Term = ({ verdict }) => {
  const { passed, total } =
    verdict.diagnostics.find((d) => d.code === 'tests-failed')?.details ?? {};
  const counted = typeof passed === 'number' && typeof total === 'number' && total > 0;
  return counted && !verdict.passed ? Math.min(1, Math.max(0, passed / total)) : reward(verdict);
};
