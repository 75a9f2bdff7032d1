/** Countdown: reach a number with given numbers, each used at most once. Verified exactly: own parser, exact fractions, no eval. */
import { correctionTurns } from '@cipo/verifier/correction';
import { type Domain, judged, type Task, TaskError, voided } from '@cipo/verifier/types';

interface Countdown {
  readonly numbers: readonly number[];
  readonly target: number;
  /** A correct expression, if the row has one. Only the contract uses it. */
  readonly solution?: string;
}
/** Numerator and denominator: in doubles, 8 / (3 - 8 / 3) is not exactly 24. */
type Fraction = readonly [bigint, bigint];

const APPLY: Readonly<Record<string, (a: Fraction, b: Fraction) => Fraction>> = {
  '+': ([a, b], [c, d]) => [a * d + c * b, b * d],
  '-': ([a, b], [c, d]) => [a * d - c * b, b * d],
  '*': ([a, b], [c, d]) => [a * c, b * d],
  '/': ([a, b], [c, d]) => [a * d, b * c],
};

/** Reads the columns of the public data sets: `nums` (or `numbers`), `target`. @throws {TaskError} naming the field */
function parse(row: unknown): Task<Countdown> {
  const { id, target, numbers, nums = numbers, solution } = Object(row);
  const isCount = (n: unknown) => Number.isSafeInteger(n) && Number(n) >= 0;
  if (!Array.isArray(nums) || nums.length < 2 || nums.length > 6 || !nums.every(isCount)) {
    throw new TaskError('nums', 'expected 2 to 6 integers, 0 or more', nums);
  }
  if (!isCount(target)) throw new TaskError('target', 'expected an integer, 0 or more', target);
  const goal = `Reach ${target} with the numbers ${nums.join(', ')}`;
  const content = `${goal}: use + - * / and brackets, and each number at most once. Give the expression alone inside <answer></answer>.`;
  const reference = { numbers: nums, target, ...(typeof solution === 'string' && { solution }) };
  const name = typeof id === 'string' && id ? id : goal;
  return { id: name, domain: 'countdown', prompt: [{ role: 'user', content }], reference };
}

/** An expression that cannot be read. */
class ExpressionError extends Error {}

/** sum = product {(+|-) product}, product = factor {(*|/) factor}, factor = number | ( sum ). @throws {ExpressionError} */
function evaluate(text: string, numbers: readonly number[]): Fraction {
  const tokens = text.match(/\d+|\S/gu) ?? [];
  const left = [...numbers];
  const chain = (operators: string, operand: () => Fraction): Fraction => {
    let value = operand();
    while (tokens[0] && operators.includes(tokens[0])) {
      value = APPLY[tokens.shift()!]!(value, operand());
    }
    if (value[1] === 0n) throw new ExpressionError('division by zero');
    return value;
  };
  const factor = (): Fraction => {
    const token = tokens.shift() ?? 'the end';
    const inner = token === '(' ? sum() : undefined;
    if (inner && tokens.shift() === ')') return inner;
    if (inner) throw new ExpressionError('a bracket is not closed');
    if (!/^\d+$/.test(token)) throw new ExpressionError(`expected a number, got ${token}`);
    const at = left.findIndex((number) => String(number) === token);
    if (at < 0) throw new ExpressionError(`${token} is not among the remaining numbers`);
    left.splice(at, 1);
    return [BigInt(token), 1n];
  };
  const sum = (): Fraction => chain('+-', () => chain('*/', factor));
  const value = sum();
  if (tokens[0]) throw new ExpressionError(`expected an operator, got ${tokens[0]}`);
  return value;
}

function wrap(answer: string) {
  return `<answer>${answer}</answer>`;
}

function diagnose(code: string, message: string) {
  return [{ code, audience: 'policy' as const, message }];
}

const countdown: Domain<Countdown> = {
  name: 'countdown',
  parse,
  verify: async ({ reference: { numbers, target } }, { text }, signal) => {
    if (signal?.aborted) return voided('aborted', 'aborted before it was judged');
    const last = text.slice(text.lastIndexOf('<answer>'));
    const answer = /^<answer>([^<]{1,200})<\/answer>/.exec(last)?.[1]; // bounds recursion and digits
    if (!answer) {
      return judged('unreadable_answer', diagnose('no-answer', 'no short <answer></answer>'));
    }
    try {
      const [n, d] = evaluate(answer, numbers);
      if (n === BigInt(target) * d) return judged('accepted');
      const value = n % d === 0n ? n / d : `${n}/${d}`;
      return judged(
        'wrong_answer',
        diagnose('wrong-answer', `the value is ${value}, not ${target}`),
      );
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      return judged('unreadable_answer', diagnose('unreadable-answer', error.message));
    }
  },
  correction: (task, attempt, diagnostics) =>
    correctionTurns(task, attempt, diagnostics, {
      attempt: 'This is an earlier attempt. It may reach the number or not.',
      notes: 'What the evaluation showed:',
      ask: 'Evaluate it step by step. Keep it if it reaches the number, else find another expression. Give the expression alone inside <answer></answer>.',
    }),
  known: ({ reference: { numbers, solution } }) =>
    solution ? { correct: wrap(solution), incorrect: wrap(`${numbers[0]} + `) } : undefined,
};

export default countdown;
