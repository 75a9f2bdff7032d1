/**
 * A kind of task of one's own: is a number odd or even? A Domain is one object; the contract suite
 * (`domainContract` of `@cipo/verifier/testing`) then checks it without any model.
 */
import { type Domain, judged, type Task, TaskError, voided } from '@cipo/verifier/types';

/** @throws {TaskError} where the row has no whole number. */
function parse(row: unknown): Task<number> {
  const value = typeof row === 'object' && row !== null && 'number' in row ? row.number : undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw new TaskError('number', 'must be a whole number', value);
  }
  const content = `Is ${value} odd or even? Answer with one word.`;
  return {
    id: String(value),
    domain: 'parity',
    prompt: [{ role: 'user', content }],
    reference: value,
  };
}

function wordOf(value: number) {
  return value % 2 === 0 ? 'even' : 'odd';
}

export const parity: Domain<number> = {
  name: 'parity',
  parse,
  verify: async (task, attempt, signal) => {
    if (signal?.aborted) return voided('aborted', 'aborted before it was judged');
    const word = attempt.text.trim().toLowerCase();
    if (word !== 'odd' && word !== 'even') {
      const message = 'The answer must be the one word odd or even.';
      return judged('unreadable_answer', [
        { code: 'unreadable-answer', audience: 'policy', message },
      ]);
    }
    return judged(word === wordOf(task.reference) ? 'accepted' : 'wrong_answer');
  },
  known: (task) => ({ correct: wordOf(task.reference), incorrect: wordOf(task.reference + 1) }),
};
