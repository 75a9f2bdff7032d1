/**
 * Compares printed output: token by token with an optional tolerance for numbers, or the whole text. The first
 * difference is reported with its line.
 */
import type { Difference, Tolerance } from './compare.ts';

/** How the outputs of a `stdio` test are compared. */
interface OutputRules {
  /** Compare the whole text instead of tokens. */
  readonly exact: boolean;
  readonly ignoreCase: boolean;
  readonly tolerance?: Tolerance;
}

const MAX_SHOWN_CHARS = 120;

/** The first difference between two outputs, undefined if they are equal. */
export function outputDifference(
  expected: string,
  actual: string,
  rules: OutputRules,
): Difference | undefined {
  if (rules.exact) return exactDifference(expected, actual);
  const expectedTokens = expected.matchAll(/\S+/g);
  const actualTokens = actual.matchAll(/\S+/g);
  for (;;) {
    const want = expectedTokens.next().value;
    const got = actualTokens.next().value;
    if (want === undefined && got === undefined) return undefined;
    if (want && got && isSameToken(want[0], got[0], rules)) continue;
    return {
      path: `line ${lineAt(actual, got?.index ?? actual.length)}`,
      expected: want ? truncate(want[0]) : 'the end of the output',
      actual: got ? truncate(got[0]) : 'the end of the output',
    };
  }
}

function isSameToken(want: string, got: string, { ignoreCase, tolerance }: OutputRules): boolean {
  if (want === got) return true;
  if (ignoreCase && want.toLowerCase() === got.toLowerCase()) return true;
  return tolerance !== undefined && isCloseNumber(want, got, tolerance);
}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function isCloseNumber(want: string, got: string, { relative, absolute }: Tolerance): boolean {
  if (!NUMBER.test(want) || !NUMBER.test(got)) return false;
  const a = Number(want);
  const b = Number(got);
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  return a === b || Math.abs(a - b) <= Math.max(absolute, relative * Math.abs(a));
}

/** Compares whole texts without the line end at the very end, which editors and print functions add. */
function exactDifference(expected: string, actual: string): Difference | undefined {
  const want = expected.replace(/\r?\n$/, '').split('\n');
  const got = actual.replace(/\r?\n$/, '').split('\n');
  for (let i = 0; i < Math.max(want.length, got.length); i++) {
    if (want[i] === got[i]) continue;
    return {
      path: `line ${i + 1}`,
      expected: truncate(want[i] ?? 'the end of the output'),
      actual: truncate(got[i] ?? 'the end of the output'),
    };
  }
  return undefined;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

function truncate(text: string): string {
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS - 1)}…` : text;
}
