/** Countdown: reach a number with given numbers, each used at most once. Judged exactly: own parser, big fractions, no eval. */
import { correctionTurns } from '@cipo/verifier/correction';
import { type Domain, judged, type Task, TaskError, voided } from '@cipo/verifier/types';

interface Countdown {
  readonly numbers: readonly number[];
  readonly target: number;
  /** An expression that is right, where the row has one: for the contract alone. */
  readonly solution?: string;
}
/** Numerator and denominator: 8 / (3 - 8 / 3) is 24, whatever doubles say. */
type Fraction = readonly [bigint, bigint];

const APPLY: Readonly<Record<string, (a: Fraction, b: Fraction) => Fraction>> = {
  '+': ([a, b], [c, d]) => [a * d + c * b, b * d],
  '-': ([a, b], [c, d]) => [a * d - c * b, b * d],
  '*': ([a, b], [c, d]) => [a * c, b * d],
  '/': ([a, b], [c, d]) => [a * d, b * c],
};

/** Columns of the public data sets: `nums` (or `numbers`), `target`. @throws {TaskError} naming the field */
function parse(row: unknown): Task<Countdown> {
  const { id, target, numbers, nums = numbers, solution } = Object(row);
  const whole = (n: unknown) => Number.isSafeInteger(n) && Number(n) >= 0;
  if (!Array.isArray(nums) || nums.length < 2 || nums.length > 6 || !nums.every(whole)) {
    throw new TaskError('nums', 'must be 2 to 6 whole numbers, none below 0', nums);
  }
  if (!whole(target)) throw new TaskError('target', 'must be a whole number, 0 or more', target);
  const goal = `Reach ${target} with the numbers ${nums.join(', ')}`;
  const content = `${goal}: use + - * / and brackets, and each number at most once. Give the expression alone inside <answer></answer>.`;
  const reference = { numbers: nums, target, ...(typeof solution === 'string' && { solution }) };
  const name = typeof id === 'string' && id ? id : goal;
  return { id: name, domain: 'countdown', prompt: [{ role: 'user', content }], reference };
}

class Finding extends Error {}

/** sum = product {(+|-) product}, product = factor {(*|/) factor}, factor = number | ( sum ). @throws {Finding} */
function evaluate(text: string, numbers: readonly number[]): Fraction {
  const tokens = text.match(/\d+|\S/gu) ?? [];
  const left = [...numbers];
  const chain = (operators: string, operand: () => Fraction): Fraction => {
    let value = operand();
    while (tokens[0] && operators.includes(tokens[0])) {
      value = APPLY[tokens.shift()!]!(value, operand());
    }
    if (value[1] === 0n) throw new Finding('it divides by zero');
    return value;
  };
  const factor = (): Fraction => {
    const token = tokens.shift() ?? 'the end';
    const inner = token === '(' ? sum() : undefined;
    if (inner && tokens.shift() === ')') return inner;
    if (inner) throw new Finding('a bracket is not closed');
    if (!/^\d+$/.test(token)) throw new Finding(`${token} stands where a number should`);
    const at = left.findIndex((number) => String(number) === token);
    if (at < 0) throw new Finding(`${token} is not among the numbers that are left`);
    left.splice(at, 1);
    return [BigInt(token), 1n];
  };
  const sum = (): Fraction => chain('+-', () => chain('*/', factor));
  const value = sum();
  if (tokens[0]) throw new Finding(`${tokens[0]} stands where an operator should`);
  return value;
}

function place(answer: string) {
  return `<answer>${answer}</answer>`;
}

function told(code: string, message: string) {
  return [{ code, audience: 'policy' as const, message }];
}

export const countdown: Domain<Countdown> = {
  name: 'countdown',
  parse,
  verify: async ({ reference: { numbers, target } }, { text }, signal) => {
    if (signal?.aborted) return voided('aborted', 'aborted before it was judged');
    const last = text.slice(text.lastIndexOf('<answer>'));
    const answer = /^<answer>([^<]{1,200})<\/answer>/.exec(last)?.[1]; // bounds recursion and digits
    if (!answer) {
      return judged('unreadable_answer', told('no-answer', 'no short <answer></answer>'));
    }
    try {
      const [n, d] = evaluate(answer, numbers);
      if (n === BigInt(target) * d) return judged('accepted');
      const value = n % d === 0n ? n / d : `${n}/${d}`;
      return judged('wrong_answer', told('wrong-answer', `it comes to ${value}, not ${target}`));
    } catch (error) {
      if (!(error instanceof Finding)) throw error;
      return judged('unreadable_answer', told('unreadable-answer', error.message));
    }
  },
  correction: (task, attempt, diagnostics) =>
    correctionTurns(task, attempt, diagnostics, {
      attempt: 'Somebody wrote this. It may reach the number or not.',
      notes: 'Working it out showed:',
      ask: 'Work it out step by step. Keep it if it reaches the number, else find another expression. Give the expression alone inside <answer></answer>.',
    }),
  known: ({ reference: { numbers, solution } }) =>
    solution ? { correct: place(solution), incorrect: place(`${numbers[0]} + `) } : undefined,
};

export default countdown;
