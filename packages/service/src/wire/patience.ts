/**
 * Asks again where there was no room, for clients that hardly do: they read a refusal as reward 0, or go
 * on without a reward, so a refusal is the last thing to give them. Leaves out: how long a client waits.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Problem } from '../http/problem.ts';
import type { RowVerdict } from '../judge.ts';
import { isPassing } from './verdicts.ts';

export type Verify = (rows: readonly unknown[]) => Promise<readonly RowVerdict[]>;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

/**
 * Verdicts in the order of the rows. Rows that had no judgement for a passing reason are judged again
 * until they have one or `patienceMs` are over.
 * @throws {Problem} 429 where there was no room until the end
 */
export async function verifyPatiently(
  rows: readonly unknown[],
  verify: Verify,
  patienceMs: number,
  signal: AbortSignal,
): Promise<readonly RowVerdict[]> {
  const deadline = performance.now() + patienceMs;
  const verdicts = new Map<number, RowVerdict>();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    const open = rows.flatMap((_, i) => (isSettled(verdicts.get(i)) ? [] : [i]));
    const late = performance.now() + pauseMs > deadline || signal.aborted;
    const round = await attempt(
      open.map((i) => rows[i]),
      verify,
      late,
    );
    for (const [at, verdict] of (round ?? []).entries()) verdicts.set(open[at]!, verdict);
    if (late || rows.every((_, i) => isSettled(verdicts.get(i)))) break;
    await wait(pauseMs, undefined, { signal }).catch(() => undefined); // an abort ends the waiting
  }
  return rows.map((_, i) => verdicts.get(i)!);
}

function isSettled(verdict: RowVerdict | undefined): boolean {
  return verdict !== undefined && !isPassing(verdict);
}

/** Undefined where there was no room and there will be another attempt. */
async function attempt(
  rows: readonly unknown[],
  verify: Verify,
  last: boolean,
): Promise<readonly RowVerdict[] | undefined> {
  try {
    return await verify(rows);
  } catch (error) {
    if (error instanceof Problem && error.status === 429 && !last) return undefined;
    throw error;
  }
}
