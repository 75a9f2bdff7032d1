import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extract } from './extract.ts';
import { compareReadings, isReadable } from './judge.ts';
import { DEFAULTS, type MathOptions } from './options.ts';
import { readAnswer } from './read/answer.ts';
import { verdictOf } from './verdict.ts';

function result(a: string, b: string, options: MathOptions = DEFAULTS) {
  return compareReadings(readAnswer(a), readAnswer(b), { options, canProbe: true }).result;
}

const RUNS = { numRuns: 400 };

/** LaTeX of random expressions: a leaf, or two of them under an operation. */
const expression = fc.letrec<{ leaf: string; tree: string }>((tie) => ({
  leaf: fc.oneof(
    fc.integer({ min: 0, max: 40 }).map(String),
    fc.constantFrom(
      'x',
      'y',
      'n',
      '\\pi',
      '\\alpha',
      '\\sqrt{2}',
      '\\sqrt{x}',
      '\\frac{1}{3}',
      '0.25',
    ),
  ),
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} + ${b})`),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} - ${b})`),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `${a} \\cdot ${b}`),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `\\frac{${a}}{${b} + 41}`),
    fc.tuple(tie('tree'), fc.integer({ min: 2, max: 4 })).map(([a, k]) => `{(${a})}^{${k}}`),
    fc.tuple(tie('leaf'), tie('leaf')).map(([a, b]) => `\\sin(${a} + ${b})`),
  ),
})).tree;

/** Structures over expressions. */
const answer = fc.oneof(
  expression,
  fc.array(expression, { minLength: 2, maxLength: 4 }).map((items) => `(${items.join(', ')})`),
  fc.array(expression, { minLength: 1, maxLength: 4 }).map((items) => `\\{${items.join(', ')}\\}`),
  fc
    .tuple(fc.integer({ min: -9, max: 0 }), fc.integer({ min: 1, max: 9 }))
    .map(([a, b]) => `[${a}, ${b})`),
  fc
    .tuple(expression, expression)
    .map(([a, b]) => `\\begin{pmatrix} ${a} \\\\ ${b} \\end{pmatrix}`),
  fc.integer({ min: 0, max: 99 }).map((a) => `${a}\\text{ cm}`),
  fc.integer({ min: 0, max: 99 }).map((a) => `${a}\\%`),
);

describe('judging', () => {
  test('every readable answer equals itself', () => {
    fc.assert(
      fc.property(answer, (a) => {
        expect(isReadable(readAnswer(a))).toBe(true);
        expect(result(a, a)).toBe('equal');
      }),
      RUNS,
    );
  });

  test('the comparison of scalars is symmetric', () => {
    fc.assert(
      fc.property(expression, expression, (a, b) => {
        expect(result(a, b) === 'equal').toBe(result(b, a) === 'equal');
      }),
      RUNS,
    );
  });

  test('white space, math marks and sized brackets do not change the outcome', () => {
    const spaced = (a: string) =>
      ` $ ${a.replaceAll('+', ' + ').replaceAll('(', '\\left( ').replaceAll(')', '\\right)')} $ `;
    fc.assert(
      fc.property(answer, (a) => {
        expect(result(a, spaced(a))).toBe('equal');
      }),
      RUNS,
    );
  });

  test('expressions rewritten without changing their value are equal', () => {
    const same = (a: string) => [
      `${a} + 0`,
      `1 \\cdot (${a})`,
      `(${a}) + x - x`,
      `\\frac{3(${a})}{3}`,
      `-(-(${a}))`,
      `(${a})^{1}`,
    ];
    fc.assert(
      fc.property(expression, fc.nat(5), (a, k) => {
        expect(result(`y + ${a}`, `y + ${same(a)[k]}`)).toBe('equal');
      }),
      RUNS,
    );
  });

  test('an expression never equals itself plus a nonzero term', () => {
    const added = ['1', 'x', '0.001', '10^{-20}', '\\pi', '\\frac{1}{2^{70}}'];
    fc.assert(
      fc.property(expression, fc.constantFrom(...added), (a, more) => {
        expect(result(a, `${a} + ${more}`)).not.toBe('equal');
      }),
      RUNS,
    );
  });

  test('a small term added to a huge expression is not lost in its digits', () => {
    const huge = '{(\\frac{x \\cdot {({((27 + \\sqrt{x}))}^{3})}^{4}}{0 + 41})}^{3}';
    expect(result(huge, `${huge} + 10^{-20}`)).not.toBe('equal');
  });

  test('the comparison of fractions agrees with exact arithmetic', () => {
    const fraction = fc.tuple(fc.integer({ min: -60, max: 60 }), fc.integer({ min: 1, max: 60 }));
    fc.assert(
      fc.property(fraction, fraction, ([a, b], [c, d]) => {
        const equal = a * d === b * c;
        expect(result(`\\frac{${a}}{${b}}`, `\\frac{${c}}{${d}}`)).toBe(
          equal ? 'equal' : 'different',
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test('the comparison of clearly different constants agrees with doubles', () => {
    const term = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 2, max: 50 }));
    fc.assert(
      fc.property(term, term, ([a, b], [c, d]) => {
        const [x, y] = [a + Math.sqrt(b), c + Math.sqrt(d)];
        fc.pre(Math.abs(x - y) > 1e-9 || (a === c && b === d));
        expect(result(`${a}+\\sqrt{${b}}`, `${c}+\\sqrt{${d}}`)).toBe(
          x === y ? 'equal' : 'different',
        );
      }),
      RUNS,
    );
  });
});

describe('reading', () => {
  const marks = fc.constantFrom(
    '\\frac',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    '\\{',
    '\\}',
    '|',
    '^',
    '_',
    '\\left',
    '\\right',
    ',',
    ';',
    '=',
    '<',
    '\\le',
    '\\cup',
    '\\in',
    '\\sqrt',
    '\\text{',
    '\\begin{pmatrix}',
    '\\end{pmatrix}',
    '&',
    '\\\\',
    '$',
    '%',
    '!',
    '1',
    '23',
    '.',
    'x',
    'or',
    '\\pm',
    '\\pi',
    ' ',
    '-',
    '+',
    '/',
    ':',
    '\\boxed{',
    '\\circ',
    "'",
    '\\sum_{k=1}^{3}',
  );
  const soup = fc.array(marks, { maxLength: 60 }).map((parts) => parts.join(''));

  test('reading and comparing random LaTeX never throws', () => {
    fc.assert(
      fc.property(soup, soup, (a, b) => {
        const outcome = compareReadings(readAnswer(a), readAnswer(b), {
          options: DEFAULTS,
          canProbe: true,
        });
        expect(['equal', 'different', 'undecided']).toContain(outcome.result);
      }),
      { numRuns: 4_000 },
    );
  });

  test('reading arbitrary strings never throws', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const verdict = verdictOf(
          { answer: a, options: { ...DEFAULTS, extraction: 'any' } },
          { text: b },
        );
        expect(['judged', 'void']).toContain(verdict.kind);
      }),
      { numRuns: 2_000 },
    );
  });

  test('no answer is accepted for an empty reference', () => {
    fc.assert(
      fc.property(fc.constantFrom('', ' ', '$$', '\\,', '{}', '\\boxed{}'), soup, (empty, a) => {
        const verdict = verdictOf({ answer: empty, options: DEFAULTS }, { text: `\\boxed{${a}}` });
        expect(verdict.kind === 'judged' && verdict.passed).toBe(false);
      }),
      RUNS,
    );
  });
});

describe('extraction', () => {
  test('the last box is found whatever surrounds it', () => {
    const prose = fc.string({ maxLength: 60 }).map((s) => s.replace(/[\\{}<]/g, ''));
    fc.assert(
      fc.property(prose, prose, fc.integer(), (before, after, n) => {
        expect(
          extract(`\\boxed{1} and later ${before} so \\boxed{${n}}${after}`, 'boxed')?.text,
        ).toBe(String(n));
      }),
      RUNS,
    );
  });

  test('an extracted answer is at its offset in the response', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), fc.integer(), (noise, n) => {
        const response = `${noise.replace(/[\\<]/g, '')}\nThe answer is ${n}`;
        const found = extract(response, 'any');
        expect(found && response.slice(found.start, found.start + found.text.length)).toBe(
          found?.text,
        );
      }),
      RUNS,
    );
  });
});
