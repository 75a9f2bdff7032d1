/** Groups made by hand for tests of the pure pieces: real types, no engine. */
import { type Domain, judged, type Verdict, voided } from '@cipo/verifier/types';
import type { Anchor, Group, Rollout } from '../loop/rollout.ts';
import type { TrainingTask } from '../tasks/source.ts';

export const domain: Domain = {
  name: 'spelled',
  parse: () => ({
    id: 'x',
    domain: 'spelled',
    prompt: [{ role: 'user', content: 'x' }],
    reference: 'x',
  }),
  verify: async (task, attempt) =>
    judged(attempt.text === task.reference ? 'accepted' : 'wrong_answer'),
};

export function item(id = 'x'): TrainingTask {
  const task = {
    id,
    domain: 'spelled',
    prompt: [{ role: 'user', content: id } as const],
    reference: id,
  };
  return {
    kind: 'spelled',
    domain,
    task,
    correction: (attempt, diagnostics) => [
      ...task.prompt,
      { role: 'assistant', content: attempt.text },
      { role: 'user', content: diagnostics.map((d) => d.message).join(' ') },
    ],
  };
}

/** '1' passed, '0' failed, '?' void, '-' truncated failure, '_' empty failure. */
export function rollout(mark: string, text = `answer ${mark}`): Rollout {
  const tokens = Int32Array.of(1, 2, 3, 4);
  const told = [
    { code: 'wrong-answer', audience: 'policy', message: 'seen by the policy' },
    { code: 'wrong-answer', audience: 'operator', message: 'hidden' },
  ] as const;
  const verdict: Verdict =
    mark === '?'
      ? voided('infra', 'cell lost')
      : judged(mark === '1' ? 'accepted' : 'wrong_answer', mark === '1' ? [] : told);
  const reward = verdict.kind === 'void' ? undefined : verdict.passed ? 1 : 0;
  return {
    sample: {
      tokens,
      logprobs: Float32Array.of(-1, -1, -1, -1),
      stop: mark === '-' ? 'length' : 'end',
    },
    attempt: { text: mark === '_' ? '  ' : text, stop: mark === '-' ? 'length' : 'end' },
    verdict,
    reward,
    composed: reward === undefined ? undefined : { reward, terms: { correct: reward } },
  };
}

export function group(marks: string, id = marks, anchor?: Anchor): Group {
  const rollouts = [...marks].map((m) => rollout(m));
  return { item: item(id), prompt: Int32Array.of(7, 8, 9), rollouts, ...(anchor && { anchor }) };
}

/** A correction group whose anchor passed or failed. */
export function correction(marks: string, anchorPassed: boolean, of: Group = group('10')): Group {
  const anchor = { group: of, rollout: rollout(anchorPassed ? '1' : '0'), passed: anchorPassed };
  return { ...group(marks, of.item.task.id, anchor), item: of.item };
}
