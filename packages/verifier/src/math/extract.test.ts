import { describe, expect, test } from 'vitest';
import { extract, extractReference } from './extract.ts';

describe('boxes', () => {
  test.each([
    ['the last one', '\\boxed{1} then \\boxed{2}', '2'],
    ['nested braces', '\\boxed{\\frac{1}{2}}', '\\frac{1}{2}'],
    ['escaped braces', '\\boxed{\\{1,2\\}}', '\\{1,2\\}'],
    ['the last that is not empty', '\\boxed{5} \\boxed{}', '5'],
    ['the last that is closed', '\\boxed{5} \\boxed{6', '5'],
    ['an inner one of an unclosed outer one', '\\boxed{ so \\boxed{5}', '5'],
    ['a box in a box', '\\boxed{\\boxed{5}}', '5'],
    ['adjacent ones as a list', '$\\boxed{1}$ and $\\boxed{2}$', '1, 2'],
    ['adjacent equal ones once', '\\boxed{1}\\boxed{1}', '1'],
    ['without braces', 'so $\\boxed 5$', '5'],
    ['after the reasoning', '<think>\\boxed{1}</think>\\boxed{2}', '2'],
  ])('the box is found: %s', (_name, response, expected) => {
    expect(extract(response, 'boxed')?.text).toBe(expected);
  });

  test.each(['', '5', '\\boxed{}', '\\boxed{5', '<think>\\boxed{5}', '<think>\\boxed{5}</think>'])(
    'none in %j',
    (response) => {
      expect(extract(response, 'boxed')).toBeUndefined();
    },
  );
});

describe('prose', () => {
  test.each([
    ['The answer is 5.', '5', 'answer-is'],
    ['the final answer is $\\frac{1}{2}$. I hope it is correct.', '\\frac{1}{2}', 'answer-is'],
    ['The answer is 3. No, the answer is 4', '4', 'answer-is'],
    ['work\n#### 1,234', '1,234', 'hash'],
    ['so \\(x=2\\) and \\[y=3\\] hold', 'y=3', 'last-math'],
    ['She has 12 apples and gives 5 away, so 7 are left.', '7', 'last-number'],
    ['x = 5', 'x = 5', 'last-line'],
  ])('the answer is found in the prose %j', (response, text, from) => {
    expect(extract(response, 'any')).toMatchObject({ text, from });
  });

  test('the letter of a choice is found', () => {
    expect(extract('I pick (B), since it fits.\nThe answer is (C)', 'choice')?.text).toBe('C');
    expect(extract('It must be\n(D)', 'choice')?.text).toBe('D');
  });
});

test.each([
  ['\\frac12', '\\frac12'],
  ['Thus $x$ is $\\boxed{5}$.', '5'],
  ['3 + 4 = <<3+4=7>>7\n#### 7', '7'],
  ['The answer is $5$.', '5'],
])('the answer inside the reference %j is found', (reference, expected) => {
  expect(extractReference(reference)).toBe(expected);
});
