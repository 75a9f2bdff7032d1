/** Runs attacks one by one, each followed by a correct probe, and reports what went wrong. */
import {
  type CodeVerifier,
  createCodeVerifier,
  parseCodeTask,
} from '../../packages/verifier/src/code/index.ts';
import type { Verdict } from '../../packages/verifier/src/types.ts';
import { type Attack, probeFor, rowFor } from './attack.ts';

/** What became of one attack. */
export interface Result {
  readonly attack: Attack;
  readonly status: string;
  /** Why the attack was not contained: it was accepted, got no verdict, or the probe after it failed. */
  readonly problem: string | undefined;
}

/** Runs a list of attacks with one verifier. */
export async function runAttacks(
  verifier: CodeVerifier,
  language: 'javascript' | 'python',
  list: readonly Attack[],
  onResult: (result: Result) => void = () => undefined,
): Promise<Result[]> {
  const probe = probeFor(language);
  const probeTask = parseCodeTask(probe.row);
  const results: Result[] = [];
  for (const attack of list) {
    const verdict = await verifier.verify(parseCodeTask(rowFor(language, attack)), attack.code);
    const after = await verifier.verify(probeTask, probe.code);
    const result = { attack, status: statusOf(verdict), problem: problemOf(verdict, after) };
    results.push(result);
    onResult(result);
  }
  return results;
}

function problemOf(verdict: Verdict, after: Verdict): string | undefined {
  if (verdict.kind === 'void') return `no judgement: ${verdict.fault}: ${verdict.detail}`;
  if (verdict.passed) return 'accepted: an escape or a forgery';
  if (after.kind === 'judged' && after.passed) return undefined;
  return `the probe after it: ${statusOf(after)}`;
}

/** The status of a verdict, or `void` with its fault. */
function statusOf(verdict: Verdict): string {
  return verdict.kind === 'judged' ? verdict.status : `void ${verdict.fault}`;
}

/** A verifier with one worker, so that every probe runs in the cell of its attack. */
export function openVerifier(): CodeVerifier {
  return createCodeVerifier({ workers: 1 });
}
