/**
 * Comparison of printed output: token by token with an optional tolerance for numbers, or the whole
 * text. The first difference is named by its line.
 */
import type { Difference, Tolerance } from './compare.ts';

export interface OutputRules {
  readonly exact: boolean;
  readonly ignoreCase: boolean;
  readonly tolerance?: Tolerance;
}

const CAP = 120;

export function outputDifference(
  expected: string,
  actual: string,
  rules: OutputRules,
): Difference | undefined {
  if (rules.exact) return exactDifference(expected, actual);
  const wanted = expected.matchAll(/\S+/g);
  const given = actual.matchAll(/\S+/g);
  for (;;) {
    const want = wanted.next().value;
    const got = given.next().value;
    if (want === undefined && got === undefined) return undefined;
    if (want && got && sameToken(want[0], got[0], rules)) continue;
    return {
      path: `line ${lineAt(actual, got?.index ?? actual.length)}`,
      expected: want ? cap(want[0]) : 'the end of the output',
      actual: got ? cap(got[0]) : 'the end of the output',
    };
  }
}

function sameToken(want: string, got: string, { ignoreCase, tolerance }: OutputRules): boolean {
  if (want === got) return true;
  if (ignoreCase && want.toLowerCase() === got.toLowerCase()) return true;
  return tolerance !== undefined && closeNumbers(want, got, tolerance);
}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function closeNumbers(want: string, got: string, { relative, absolute }: Tolerance): boolean {
  if (!NUMBER.test(want) || !NUMBER.test(got)) return false;
  const a = Number(want);
  const b = Number(got);
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  return a === b || Math.abs(a - b) <= Math.max(absolute, relative * Math.abs(a));
}

/** The whole text but for the line end at its very end, which editors and printers add. */
function exactDifference(expected: string, actual: string): Difference | undefined {
  const want = expected.replace(/\r?\n$/, '').split('\n');
  const got = actual.replace(/\r?\n$/, '').split('\n');
  for (let i = 0; i < Math.max(want.length, got.length); i++) {
    if (want[i] === got[i]) continue;
    return {
      path: `line ${i + 1}`,
      expected: cap(want[i] ?? 'the end of the output'),
      actual: cap(got[i] ?? 'the end of the output'),
    };
  }
  return undefined;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

function cap(text: string): string {
  return text.length > CAP ? `${text.slice(0, CAP - 1)}…` : text;
}
