/** Runs attacks one by one, each followed by an honest probe, and tells what went wrong. */
import {
  type CodeVerifier,
  createCodeVerifier,
  parseCodeTask,
} from '../../packages/verifier/src/code/index.ts';
import type { Verdict } from '../../packages/verifier/src/types.ts';
import { type Attack, probeFor, rowFor } from './attack.ts';

export interface Result {
  readonly attack: Attack;
  readonly status: string;
  /** What is wrong: an escape, no verdict, or a probe that no longer passes. */
  readonly problem: string | undefined;
}

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

export function statusOf(verdict: Verdict): string {
  return verdict.kind === 'judged' ? verdict.status : `void ${verdict.fault}`;
}

export function openVerifier(): CodeVerifier {
  return createCodeVerifier({ workers: 1 });
}
