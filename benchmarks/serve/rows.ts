/** Rows for the load: math, JavaScript and Python, alternately correct and incorrect, each with its expected reward. */

/** A row and the reward that its verdict must have. */
export interface Expected {
  readonly row: { readonly id: string } & Readonly<Record<string, unknown>>;
  readonly reward: 0 | 1;
}

const CODE = {
  javascript: (delta: number) => `const f = (n) => {
  let sum = ${delta};
  for (let i = 1; i <= n; i += 1) sum += i;
  return sum;
};`,
  python: (delta: number) => `def f(n):
    sum = ${delta}
    for i in range(1, n + 1):
        sum += i
    return sum`,
} as const;

const CASES = [0, 1, 10, 100, 1000].map((n) => ({ args: [n], expected: (n * (n + 1)) / 2 }));

function codeRow(language: keyof typeof CODE, id: string, isCorrect: boolean): Expected {
  const tests = { type: 'call', entry: 'f', cases: CASES };
  const response = CODE[language](isCorrect ? 0 : 1);
  return { row: { id, domain: 'code', language, tests, response }, reward: isCorrect ? 1 : 0 };
}

function mathRow(id: string, n: number, isCorrect: boolean): Expected {
  const answer = isCorrect ? `\\frac{${2 * n}}{${2 * (n + 1)}}` : `\\frac{${n + 1}}{${n}}`;
  const response = `Adding up gives \\boxed{${answer}}.`;
  return {
    row: { id, domain: 'math', answer: `${n}/${n + 1}`, response },
    reward: isCorrect ? 1 : 0,
  };
}

/** Creates `count` rows of each kind. */
export function rows(count: number): readonly Expected[] {
  return Array.from({ length: count }, (_, n) => [
    mathRow(`math-${n}`, n + 1, n % 2 === 0),
    codeRow('javascript', `javascript-${n}`, n % 2 === 0),
    codeRow('python', `python-${n}`, n % 2 === 0),
  ]).flat();
}
