/**
 * The smallest domain: is a number odd or even? A Domain is one object. The contract suite (`domainContract` of
 * `@cipo/verifier/testing`) checks it without a model.
 */
import { type Domain, judged, type Task, TaskError, voided } from '@cipo/verifier/types';

/** @throws {TaskError} if the row has no integer */
function parse(row: unknown): Task<number> {
  const value = typeof row === 'object' && row !== null && 'number' in row ? row.number : undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw new TaskError('number', 'expected an integer', value);
  }
  const content = `Is ${value} odd or even? Answer with one word.`;
  return {
    id: String(value),
    domain: 'parity',
    prompt: [{ role: 'user', content }],
    reference: value,
  };
}

function parityOf(value: number) {
  return value % 2 === 0 ? 'even' : 'odd';
}

export const parity: Domain<number> = {
  name: 'parity',
  parse,
  verify: async (task, attempt, signal) => {
    if (signal?.aborted) return voided('aborted', 'aborted before it was judged');
    const word = attempt.text.trim().toLowerCase();
    if (word !== 'odd' && word !== 'even') {
      const message = 'The answer must be the single word odd or even.';
      return judged('unreadable_answer', [
        { code: 'unreadable-answer', audience: 'policy', message },
      ]);
    }
    return judged(word === parityOf(task.reference) ? 'accepted' : 'wrong_answer');
  },
  known: (task) => ({ correct: parityOf(task.reference), incorrect: parityOf(task.reference + 1) }),
};
