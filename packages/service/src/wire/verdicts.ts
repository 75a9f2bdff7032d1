/**
 * Verdicts as numbers for trainers that take nothing else. Where there is no judgement there is no
 * number: the request fails, with a status that its client tries again where that can help. Leaves out:
 * the shapes of the replies.
 */
import { badRequest, Problem } from '../http/problem.ts';
import type { RowVerdict } from '../judge.ts';

/** Nothing is wrong with these rows: asked again they may be judged. */
const PASSING = new Set(['infra_error', 'overloaded', 'aborted']);

export function isPassing({ status }: RowVerdict): boolean {
  return PASSING.has(status);
}

/** What a request may say about answers that nothing proves right or wrong. Absent: they have no number. */
export function undecidedReward(query: ReadonlyMap<string, string>): number | undefined {
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
 * @param field names the label of a row in messages
 * @throws {Problem} 503 where asking again may help, 422 where it will not
 */
export function rewardsOf(
  verdicts: readonly RowVerdict[],
  undecided: number | undefined,
  field: (index: number) => string,
): number[] {
  return verdicts.map((verdict, i) => {
    if (verdict.reward !== null) return verdict.reward;
    if (verdict.status === 'undecided' && undecided !== undefined) return undecided;
    throw noJudgement(verdict, field(i));
  });
}

export function noJudgement(verdict: RowVerdict, field: string): Problem {
  const passing = isPassing(verdict);
  const reason = verdict.diagnostics[0]?.message;
  const message = `there is no judgement: ${verdict.status}${reason ? `: ${reason}` : ''}`;
  return new Problem(passing ? 503 : 422, 'no-judgement', message, {
    field,
    ...(passing ? { headers: { 'retry-after': '1' } } : {}),
  });
}
