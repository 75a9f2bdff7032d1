/** Rows of samples.jsonl: rollouts for people to read. */
import type { Diagnostic } from '@cipo/verifier/types';
import type { SampleRecord } from '../events.ts';
import type { Group, Rollout } from '../loop/rollout.ts';

/** Groups of each stream that one step records. */
const RECORDED_GROUPS = 4;

/**
 * A few rollouts of a step: the first of some groups, taking turns between the kinds of tasks and between correct and
 * incorrect anchors.
 * @param advantages of the groups' rollouts, [B][G]
 */
export function sampleRecords(
  step: number,
  groups: readonly Group[],
  advantages: readonly (readonly number[])[],
): SampleRecord[] {
  const indexed = groups.map((group, b) => ({ group, b }));
  const classes = Map.groupBy(indexed, ({ group }) => `${group.item.kind} ${group.anchor?.passed}`);
  const turns = [...classes.values()].flatMap((members) =>
    members.map((member, turn) => ({ ...member, turn })),
  );
  const chosen = turns.sort((one, other) => one.turn - other.turn).slice(0, RECORDED_GROUPS);
  return chosen.flatMap(({ group, b }) => {
    const [first] = group.rollouts;
    return first ? [toRecord(step, group, first, advantages[b]?.[0] ?? 0)] : [];
  });
}

/** @param advantage of this rollout; 0 outside training */
export function toRecord(
  step: number,
  group: Group,
  { verdict, attempt, composed }: Rollout,
  advantage: number,
): SampleRecord {
  const { item, anchor, diagnosticsShown = [] } = group;
  const isJudged = verdict.kind === 'judged';
  return {
    step,
    kind: item.kind,
    taskId: item.task.id,
    stream: anchor ? 'correction' : 'base',
    prompt: item.task.prompt.map(({ content }) => content).join('\n'),
    attempt: attempt.text,
    ...(isJudged && { passed: verdict.passed }),
    status: isJudged ? verdict.status : 'void',
    diagnostics: isJudged
      ? formatDiagnostics(verdict.diagnostics)
      : [`${verdict.fault}: ${verdict.detail}`],
    advantage,
    ...(composed && Object.keys(composed.terms).length > 1 && { rewards: composed.terms }),
    ...(anchor && {
      anchor: {
        attempt: anchor.rollout.attempt.text,
        passed: anchor.passed,
        diagnosticsShown: formatDiagnostics(diagnosticsShown),
      },
    }),
  };
}

function formatDiagnostics(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ code, message }) => `${code}: ${message}`);
}
