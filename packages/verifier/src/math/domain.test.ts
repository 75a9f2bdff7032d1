import { afterAll, describe, expect, test } from 'vitest';
import { domainContract } from '../testing.ts';
import { TaskError } from '../types.ts';
import { closeMath, mathDomain, mathOptions, verifyMath } from './index.ts';

const domain = mathDomain();
afterAll(() => domain.close?.());
afterAll(closeMath);

const rows = [
  { id: 'a', prompt: 'What is 1/3 + 1/6?', answer: '\\frac{1}{2}' },
  {
    prompt: [{ role: 'user', content: 'Name the primes below 6.' }],
    ground_truth: '\\{2, 3, 5\\}',
  },
  { question: 'Simplify.', solution: 'We find $\\boxed{2\\sqrt{3}}$.' },
  {
    prompt: 'How many?',
    answer: 'Three and four are seven.\n#### 7',
    options: { extraction: 'any' },
  },
  { prompt: 'verl', data_source: 'x', reward_model: { ground_truth: '12', style: 'rule' } },
];
const badRows = [
  { row: { prompt: 'x' }, field: 'answer' },
  { row: { prompt: 'x', answer: '' }, field: 'answer' },
  { row: { prompt: 'x', answer: ['7'] }, field: 'answer' },
  { row: { prompt: 7, answer: '7' }, field: 'prompt' },
  { row: { prompt: [{ role: 'robot', content: 'x' }], answer: '7' }, field: 'prompt.0.role' },
  { row: { prompt: 'x', answer: '7', question: 7 }, field: 'question' },
  { row: { prompt: 'x', answer: '7', options: { percent: 'maybe' } }, field: 'options.percent' },
  { row: { prompt: 'x', answer: '7', options: { percents: 'either' } }, field: 'options.percents' },
  {
    row: { prompt: 'x', answer: '7', options: { tolerance: { absolute: -1 } } },
    field: 'options.tolerance.absolute',
  },
];

describe('the contract of a domain', () => {
  const twin = (answer: string) => ({ id: 't', prompt: 'How many?', answer });
  const twins = [[twin('7'), twin('\\frac{1}{3}')]] as const;
  const hostile = [
    '\\boxed{7 or 8 or \\frac{1}{2}}',
    '\\boxed{1/3 + 1/6}',
    `\\boxed{${'\\sqrt{'.repeat(200)}2${'}'.repeat(200)}}`,
    '\\boxed{\\sum_{n=1}^{10^{99}} n}',
    '\\boxed{(1+x)^{99999999}}',
  ];
  const subject = { domain, rows, badRows, hostile, twins };
  for (const check of domainContract(subject)) test(check.name, check.run);
});

describe('a verdict', () => {
  test('a math verdict tells only the operator what was read and expected', async () => {
    const verdict = await verifyMath('\\{1, 3\\}', '\\boxed{[1, 3)}');
    expect(verdict).toMatchObject({ kind: 'judged', status: 'wrong_answer', passed: false });
    const diagnostics = verdict.kind === 'judged' ? verdict.diagnostics : [];
    expect(diagnostics.map((d) => d.message)).toContain(
      'read as the interval [1, 3); the reference is the set {1, 3}',
    );
    expect(diagnostics.every((d) => d.audience === 'operator')).toBe(true);
  });

  test('a math verdict names the place of the answer and the stage that decided', async () => {
    const verdict = await verifyMath('\\frac{1}{2}', 'It is \\boxed{0.5}.');
    expect(verdict).toMatchObject({
      status: 'accepted',
      diagnostics: [
        { code: 'extracted', details: { text: '0.5', from: 'boxed', start: 13 } },
        { code: 'right-answer', details: { stage: 'exact' } },
      ],
    });
  });

  test.each([
    ['x+1', '1+x', 'modular'],
    ['2\\sqrt{3}', '\\sqrt{12}', 'high-precision'],
    ['\\sin x', '\\cos x', 'probing'],
    ['\\text{even}', 'Even', 'words'],
    ['(1,2)', '( 1, 2 )', 'same-text'],
    ['3.14', '\\pi', 'rounded'],
  ])(
    'the comparison of %s with %s is decided by the stage %s',
    async (reference, answer, stage) => {
      const verdict = await verifyMath(reference, `\\boxed{${answer}}`);
      expect(verdict.kind === 'judged' && verdict.diagnostics.at(-1)?.details?.stage).toBe(stage);
    },
  );

  test('a math verdict tells the policy only why its answer could not be read', async () => {
    const verdict = await verifyMath('7', 'so \\boxed{\\frac{7}{}');
    const shown =
      verdict.kind === 'judged' ? verdict.diagnostics.filter((d) => d.audience === 'policy') : [];
    expect(shown).toMatchObject([{ code: 'no-answer' }]);
    const other = await verifyMath('7', '\\boxed{\\weird 7}');
    expect(other).toMatchObject({
      status: 'unreadable_answer',
      diagnostics: [{ code: 'unreadable-answer', audience: 'policy' }, {}],
    });
  });

  test('a math verdict is void if the reference cannot be read, even for the same text', async () => {
    expect(await verifyMath('\\weird{7}', '\\boxed{\\weird{7}}')).toMatchObject({
      kind: 'void',
      fault: 'bad-task',
    });
  });

  test('a math verdict is void if neither equality nor a difference is proved', async () => {
    const verdict = await verifyMath('9^{9^{9^{9}}}', '\\boxed{9^{9^{9^{8}}}}');
    expect(verdict).toMatchObject({ kind: 'void', fault: 'undecided' });
  });
});

describe('options', () => {
  test('unknown or ill-typed math options are refused by name', async () => {
    expect(() => mathDomain({ defaults: { percent: 'x' as 'auto' } })).toThrow(TaskError);
    expect(() => mathOptions({ extraction: 'box' })).toThrow(
      /options\.extraction: expected one of boxed, any/,
    );
    await expect(verifyMath('1', '\\boxed{1}', { roundedDigits: -1 })).rejects.toThrow(
      /roundedDigits/,
    );
  });

  test('the options of a row take precedence over the defaults of the domain', async () => {
    const prose = mathDomain({ defaults: { extraction: 'any' } });
    const task = prose.parse({ prompt: 'x', answer: '7' });
    const strict = prose.parse({ prompt: 'x', answer: '7', options: { extraction: 'boxed' } });
    const attempt = { text: 'The answer is 7', stop: 'end' } as const;
    expect(await prose.verify(task, attempt)).toMatchObject({ passed: true });
    expect(await prose.verify(strict, attempt)).toMatchObject({ passed: false });
    await prose.close?.();
  });
});

describe('the correction prompt', () => {
  const task = domain.parse({ prompt: 'What is 3 + 4?', answer: '7' });

  test('the correction prompt shows problem and attempt, asks for a box, and names no verdict', () => {
    const [message] = domain.correction!(task, { text: 'It is \\boxed{8}', stop: 'end' }, []);
    expect(message?.content).toContain('What is 3 + 4?');
    expect(message?.content).toContain('It is \\boxed{8}');
    expect(message?.content).toContain('\\boxed{}');
    expect(message?.content).not.toMatch(/\bwas (?:right|wrong)|incorrect|\b7\b/);
  });

  test('the correction prompts of a correct and an incorrect attempt differ only in the attempt', () => {
    const prompt = (n: number) =>
      domain.correction!(task, { text: `<${n}>`, stop: 'end' }, [])[0]?.content.replace(
        `<${n}>`,
        '',
      );
    expect(prompt(7)).toBe(prompt(8));
  });

  test('the correction prompt leaves out diagnostics for the operator and shortens long attempts', () => {
    const secret = { code: 'wrong-answer', audience: 'operator', message: 'expected 7' } as const;
    const content = domain.correction!(task, { text: 'a'.repeat(50_000), stop: 'length' }, [
      secret,
    ])[0]!.content;
    expect(content).not.toContain('expected 7');
    expect(content).toContain('cut off');
    expect(content.length).toBeLessThan(8_000);
  });
});
