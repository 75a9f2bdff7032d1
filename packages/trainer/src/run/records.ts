/** One rollout as a row of samples.jsonl, for people to read. */
import type { Diagnostic } from '@cipo/verifier/types';
import type { SampleRecord } from '../events.ts';
import type { Group, Rollout } from '../loop/rollout.ts';

const words = (diagnostics: readonly Diagnostic[]) =>
  diagnostics.map((d) => `${d.code}: ${d.message}`);

/** @param advantage of this rollout; 0 outside training */
export function toRecord(
  step: number,
  group: Group,
  rollout: Rollout,
  advantage: number,
): SampleRecord {
  const { item, anchor, shown = [] } = group;
  const { verdict, attempt } = rollout;
  const judged = verdict.kind === 'judged';
  return {
    step,
    kind: item.kind,
    taskId: item.task.id,
    stream: anchor ? 'correction' : 'base',
    prompt: item.task.prompt.map((m) => m.content).join('\n'),
    attempt: attempt.text,
    ...(judged && { passed: verdict.passed }),
    status: judged ? verdict.status : 'void',
    diagnostics: judged ? words(verdict.diagnostics) : [`${verdict.fault}: ${verdict.detail}`],
    advantage,
    ...(rollout.composed &&
      Object.keys(rollout.composed.terms).length > 1 && { rewards: rollout.composed.terms }),
    ...(anchor && {
      anchor: {
        attempt: anchor.rollout.attempt.text,
        passed: anchor.passed,
        diagnosticsShown: words(shown),
      },
    }),
  };
}
