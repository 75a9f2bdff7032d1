/**
 * Retries on the server, for clients that do not retry. They score a refusal as reward 0 or drop the sample, so a refusal
 * is the last resort. Leaves out: how long each client waits.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../http/problem.ts';
import type { RowVerdict } from '../judge.ts';
import { isTransient } from './verdicts.ts';

export type VerifyRows = (rows: readonly unknown[]) => Promise<readonly RowVerdict[]>;

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2000;

/**
 * Verifies rows, and verifies those again that were not judged for a transient reason, until they are judged or `retryMs`
 * have passed.
 *
 * @returns verdicts in the order of the rows
 * @throws {Problem} 429 if the queue had no capacity in all that time
 */
export async function verifyWithRetries(
  rows: readonly unknown[],
  verify: VerifyRows,
  retryMs: number,
  signal: AbortSignal,
): Promise<readonly RowVerdict[]> {
  const deadline = performance.now() + retryMs;
  const verdicts = new Map<number, RowVerdict>();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)) {
    const pending = rows.flatMap((_, i) => (isFinal(verdicts.get(i)) ? [] : [i]));
    const isLast = performance.now() + pauseMs > deadline || signal.aborted;
    const round = await verifyOnce(
      pending.map((i) => rows[i]),
      verify,
      isLast,
    );
    for (const [at, verdict] of (round ?? []).entries()) verdicts.set(pending[at]!, verdict);
    if (isLast || rows.every((_, i) => isFinal(verdicts.get(i)))) break;
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined); // an abort ends the pause
  }
  return rows.map((_, i) => verdicts.get(i)!);
}

function isFinal(verdict: RowVerdict | undefined): boolean {
  return verdict !== undefined && !isTransient(verdict);
}

/** Undefined if the queue has no capacity and this is not the last try. */
async function verifyOnce(
  rows: readonly unknown[],
  verify: VerifyRows,
  isLast: boolean,
): Promise<readonly RowVerdict[] | undefined> {
  try {
    return await verify(rows);
  } catch (error) {
    if (error instanceof Problem && error.status === 429 && !isLast) return undefined;
    throw error;
  }
}
