/**
 * Verdicts as numbers, for trainers that accept nothing else. A row that was not judged has no number: the request fails,
 * with a status that its client retries if a retry can help. Leaves out: the shapes of the replies.
 */
import { badRequest, Problem } from '../http/problem.ts';
import type { RowVerdict } from '../judge.ts';

/** Statuses whose cause is not the row: the row may be judged on a retry. */
const TRANSIENT = new Set(['infra_error', 'overloaded', 'aborted']);

export function isTransient({ status }: RowVerdict): boolean {
  return TRANSIENT.has(status);
}

/**
 * The query parameter `undecided`: the reward of answers that are neither proved correct nor incorrect. Undefined if the
 * request does not set it; such rows then fail the request.
 */
export function readUndecidedReward(query: ReadonlyMap<string, string>): number | undefined {
  const given = query.get('undecided');
  if (given === undefined) return undefined;
  const value = Number(given);
  if (given.trim() === '' || !Number.isFinite(value)) {
    throw badRequest('undecided', 'must be a number', given);
  }
  return value;
}

/**
 * Rewards in the order of the verdicts.
 *
 * @param undecided reward of undecided rows, if the request sets one
 * @param fieldOf names the label of a row in error messages
 * @throws {Problem} 503 if a retry may help, 422 if not
 */
export function rewardsOf(
  verdicts: readonly RowVerdict[],
  undecided: number | undefined,
  fieldOf: (index: number) => string,
): number[] {
  return verdicts.map((verdict, i) => {
    if (verdict.reward !== null) return verdict.reward;
    if (verdict.status === 'undecided' && undecided !== undefined) return undecided;
    throw notJudged(verdict, fieldOf(i));
  });
}

/** The error reply for a row that was not judged. */
export function notJudged(verdict: RowVerdict, field: string): Problem {
  const canRetry = isTransient(verdict);
  const reason = verdict.diagnostics[0]?.message;
  const message = `the row was not judged: ${verdict.status}${reason ? `: ${reason}` : ''}`;
  return new Problem(canRetry ? 503 : 422, 'no-judgement', message, {
    field,
    ...(canRetry ? { headers: { 'retry-after': '1' } } : {}),
  });
}
