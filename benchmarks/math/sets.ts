/**
 * The pairs that both graders judge. The labeled pairs and the generated algebra belong to this project. Model outputs and
 * references are public data, which is skipped if `CIPO_SHARED` does not name its folder.
 */
import { type MathOptions, mathOptions } from '../../packages/verifier/src/math/index.ts';
import {
  gsm8kSolutions,
  labeledPairs,
  mathProblems,
  sharedDatasets,
} from '../../packages/verifier/src/math/testing/data.ts';
import { PERTURBATIONS, REWRITINGS } from '../../packages/verifier/src/math/testing/rewrite.ts';

export interface Item {
  readonly id: string;
  readonly answer: string;
  readonly response: string;
  readonly label: boolean;
  readonly options: MathOptions;
  readonly question?: string;
}

const BOXED = mathOptions(undefined);
const PROSE = mathOptions({ extraction: 'any' });

/** Labelled pairs for both graders: those without options of this project and with a verdict. */
function labelled(): Item[] {
  return labeledPairs().flatMap(({ id, answer, response, label, question, options }) => {
    const extraction = options?.extraction === 'any' && Object.keys(options).length === 1;
    if (label === null || (options && !extraction)) return [];
    return [
      {
        id,
        answer,
        response,
        label,
        options: extraction ? PROSE : BOXED,
        ...(question === undefined ? {} : { question }),
      },
    ];
  });
}

/** Outputs of models. The response ends in `A: 26`, which Math-Verify gets unchanged. */
function outputs(datasets: string): Item[] {
  return gsm8kSolutions(datasets).map((s) => ({
    id: s.id,
    answer: s.answer,
    response: s.response,
    label: s.correct,
    options: PROSE,
  }));
}

/** Every `step`-th reference with all its rewritings and perturbations, boxed. */
function references(datasets: string, step: number): Item[] {
  return mathProblems(datasets)
    .filter((_, k) => k % step === 0)
    .flatMap(({ id, answer }) => [
      ...variants(id, answer, REWRITINGS, true),
      ...variants(id, answer, PERTURBATIONS, false),
    ]);
}

function variants(
  id: string,
  answer: string,
  by: Readonly<Record<string, (a: string) => string | undefined>>,
  label: boolean,
): Item[] {
  return Object.entries(by).flatMap(([name, f]) => {
    const text = f(answer);
    return text === undefined
      ? []
      : [
          {
            id: `${id} (${name})`,
            answer,
            response: `So it is $\\boxed{${text}}$.`,
            label,
            options: BOXED,
          },
        ];
  });
}

/** Generated equalities that need algebra, and near misses. */
export function algebra(count: number): Item[] {
  return Array.from({ length: count }, (_, k) => {
    const [a, b, c] = [2 + (k % 7), 1 + (k % 11), 3 + (k % 5)];
    const forms = [
      [`(x+${a})(x-${b})`, `x^2+${a - b}x-${a * b}`],
      [`\\frac{1}{x+${a}}-\\frac{1}{x+${a + c}}`, `\\frac{${c}}{(x+${a})(x+${a + c})}`],
      [`\\sqrt{${a * a * c}}`, `${a}\\sqrt{${c}}`],
      [
        `\\frac{${a}}{\\sqrt{${c}}+${b + 2}}`,
        `\\frac{${a}(\\sqrt{${c}}-${b + 2})}{${c - (b + 2) ** 2}}`,
      ],
      [`\\sin(${a}x)\\cos(${b}x)`, `\\frac{\\sin(${a + b}x)+\\sin(${a}x-${b}x)}{2}`],
      [`(x+y)^{${a}}-(x-y)^{${a}}`, `(y+x)^{${a}}-(-y+x)^{${a}}`],
      [`\\ln(x^{${a}}y)`, `${a}\\ln x+\\ln y`],
      [`e^{${a}i\\theta}`, `\\cos(${a}\\theta)+i\\sin(${a}\\theta)`],
    ] as const;
    const [answer, same] = forms[k % forms.length]!;
    const label = k % 3 !== 0;
    return {
      id: `algebra ${k}`,
      answer,
      response: `So it is $\\boxed{${label ? same : `${same}+\\frac{1}{${a + b}}`}}$.`,
      label,
      options: BOXED,
    };
  });
}

/** All sets by name. @param step takes every `step`-th reference */
export function pairSets(step: number): ReadonlyMap<string, Item[]> {
  const datasets = sharedDatasets();
  return new Map([
    ['labelled pairs', labelled()],
    ...(datasets
      ? ([
          ['GSM8K outputs', outputs(datasets)],
          ['MATH variants', references(datasets, step)],
        ] as const)
      : []),
    ['hard algebra', algebra(600)],
  ]);
}
