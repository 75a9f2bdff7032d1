/** Rows for load: mathematics, JavaScript and Python, right and wrong in turn, each with the reward that it must get. */

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

const cases = [0, 1, 10, 100, 1000].map((n) => ({ args: [n], expected: (n * (n + 1)) / 2 }));

function codeRow(language: keyof typeof CODE, id: string, right: boolean): Expected {
  const tests = { type: 'call', entry: 'f', cases };
  const response = CODE[language](right ? 0 : 1);
  return { row: { id, domain: 'code', language, tests, response }, reward: right ? 1 : 0 };
}

function mathRow(id: string, n: number, right: boolean): Expected {
  const said = right ? `\\frac{${2 * n}}{${2 * (n + 1)}}` : `\\frac{${n + 1}}{${n}}`;
  const response = `Adding up gives \\boxed{${said}}.`;
  return { row: { id, domain: 'math', answer: `${n}/${n + 1}`, response }, reward: right ? 1 : 0 };
}

/** `count` of each kind. */
export function rows(count: number): readonly Expected[] {
  return Array.from({ length: count }, (_, n) => [
    mathRow(`math-${n}`, n + 1, n % 2 === 0),
    codeRow('javascript', `javascript-${n}`, n % 2 === 0),
    codeRow('python', `python-${n}`, n % 2 === 0),
  ]).flat();
}
