/** Groups made by hand, for tests of the pure functions: real types, no engine. */
import { type Domain, judged, type Verdict, voided } from '@cipo/verifier/types';
import type { Anchor, Group, Rollout } from '../loop/rollout.ts';
import type { TrainingTask } from '../tasks/source.ts';

/** Judges a response as correct if it equals the reference. */
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

/** A task of {@link domain}. */
function item(id = 'x'): TrainingTask {
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

/**
 * A rollout by its mark: '1' correct, '0' incorrect, '?' void, '-' incorrect and truncated, '_' incorrect and empty.
 */
function rollout(mark: string, text = `answer ${mark}`): Rollout {
  const tokens = Int32Array.of(1, 2, 3, 4);
  const diagnostics = [
    { code: 'wrong-answer', audience: 'policy', message: 'seen by the policy' },
    { code: 'wrong-answer', audience: 'operator', message: 'hidden' },
  ] as const;
  const verdict: Verdict =
    mark === '?'
      ? voided('infra', 'cell lost')
      : judged(mark === '1' ? 'accepted' : 'wrong_answer', mark === '1' ? [] : diagnostics);
  const correctness = verdict.kind === 'void' ? undefined : verdict.passed ? 1 : 0;
  return {
    sample: {
      tokens,
      logprobs: Float32Array.of(-1, -1, -1, -1),
      stop: mark === '-' ? 'length' : 'end',
    },
    attempt: { text: mark === '_' ? '  ' : text, stop: mark === '-' ? 'length' : 'end' },
    verdict,
    correctness,
    composed:
      correctness === undefined
        ? undefined
        : { reward: correctness, terms: { correct: correctness } },
  };
}

/** A group with one rollout for each mark. */
export function group(marks: string, id = marks, anchor?: Anchor): Group {
  const rollouts = [...marks].map((m) => rollout(m));
  return { item: item(id), prompt: Int32Array.of(7, 8, 9), rollouts, ...(anchor && { anchor }) };
}

/** A group of the correction stream, with an anchor that is correct or not. */
export function correction(marks: string, anchorPassed: boolean, of: Group = group('10')): Group {
  const anchor = { group: of, rollout: rollout(anchorPassed ? '1' : '0'), passed: anchorPassed };
  return { ...group(marks, of.item.task.id, anchor), item: of.item };
}
