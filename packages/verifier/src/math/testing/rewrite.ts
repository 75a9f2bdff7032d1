/**
 * Rewritings of an answer that change only its notation, and perturbations that change its value. For tests and benchmarks.
 * Each works on text, so that it shares no code with the reader.
 */

/** Rewritings by name. Each returns the answer in another notation, or undefined if it does not apply. */
export const REWRITINGS: Readonly<Record<string, (answer: string) => string | undefined>> = {
  'display fractions': (a) => replaced(a, /\\[dt]?frac(?![a-z])/g, '\\dfrac'),
  'text fractions': (a) => replaced(a, /\\[dt]?frac(?![a-z])/g, '\\tfrac'),
  'math mode': (a) => `$${a}$`,
  'display mode': (a) => `\\[ ${a} \\]`,
  'spaces around': (a) => `  ${a}\\, `,
  'a full stop': (a) => (/[.!]$/.test(a) ? undefined : `${a}.`),
  'braces around': (a) => (/[,;]|\\text|\\\$|^-?\d+_|or|%|\.$/.test(a) ? undefined : `{${a}}`),
  'display style': (a) => `\\displaystyle ${a}`,
  'sized brackets': (a) =>
    replaced(
      a.replace(/\\left|\\right/g, ''),
      /(?<!\\)([([])(.*)(?<!\\)([)\]])/,
      '\\left$1$2\\right$3',
    ),
  'slash fractions': (a) =>
    replaced(a, /(?<![\d}]\s*)\\[dt]?frac\{(\d+)\}\{(\d+)\}(?!\s*[\w\\({^])/g, '{$1}/{$2}'),
  'no brace after frac': (a) => replaced(a, /\\[dt]?frac\{(\d)\}\{(\d)\}/g, '\\frac$1$2'),
  'brace after frac': (a) => replaced(a, /\\[dt]?frac(\d)(\d)/g, '\\frac{$1}{$2}'),
  'bare root': (a) => replaced(a, /\\sqrt\{(\d)\}/g, '\\sqrt$1'),
  'explicit product': (a) => replaced(a, /(\d)\s*(?=\\(?:sqrt|pi))/g, '$1 \\cdot '),
  'braced exponent': (a) => replaced(a, /\^(\d)(?!\d)/g, '^{$1}'),
  'a zero decimal': (a) => (/^-?\d+$/.test(a) ? `${a}.0` : undefined),
  'an unreduced fraction': (a) =>
    replaced(
      a,
      /^(-?)\\[dt]?frac\{(\d+)\}\{(\d+)\}$/,
      (_, sign, n, d) => `${sign}\\frac{${3 * Number(n)}}{${3 * Number(d)}}`,
    ),
  'a fraction of one': (a) => (/^-?\d+$/.test(a) ? `\\frac{${a}}{1}` : undefined),
  'a name': (a) =>
    /^-?(?:\d+|\\[dt]?frac\{\d+\}\{\d+\}|\d*\\sqrt\{\d+\})$/.test(a) ? `w = ${a}` : undefined,
  'Unicode minus': (a) => (/\\text/.test(a) ? undefined : replaced(a, /-/g, '\u2212')),
  'another bracket': (a) => replaced(a, /pmatrix/g, 'bmatrix'),
};

function replaced(
  a: string,
  pattern: RegExp,
  by: string | ((...m: string[]) => string),
): string | undefined {
  const b = typeof by === 'string' ? a.replace(pattern, by) : a.replace(pattern, by);
  return b === a ? undefined : b;
}

/** Perturbations by name. Each returns an answer with another value, or undefined if it does not apply. */
export const PERTURBATIONS: Readonly<Record<string, (answer: string) => string | undefined>> = {
  'the last digit': (a) => {
    if (/_/.test(a)) return undefined;
    return replaced(a, /(\d)(?=\D*$)/, (d) => String((Number(d) + 1) % 10));
  },
  'the first digit': (a) => {
    if (/_|\.0*$/.test(a) || /^\D*0/.test(a)) return undefined;
    return replaced(a, /\d/, (d) => String((Number(d) % 9) + 1));
  },
  'one more at the end': (a) => (/^-?\d+$/.test(a) ? `${a}1` : undefined),
  'the sign': (a) =>
    /^(?:\d|\\frac|\\sqrt)[^,+=:;<>_-]*$/.test(a) && !/[a-zA-Z]*(?:text|pmatrix)|^0/.test(a)
      ? `-${a}`
      : undefined,
  'a guess beside it': (a) =>
    /\\text|or|and|^[A-Z]$|matrix|[<>=]/.test(a) ? undefined : `${a}, 987654`,
  'one added': (a) =>
    /^[^,;=<>_%]*$/.test(a) &&
    !/\\text|matrix|\\cup|[A-Z]|^\(|^\[|\\\$|circ|infty|:|emptyset|pm|\\{/.test(a)
      ? `1 + ${a}`
      : undefined,
};
