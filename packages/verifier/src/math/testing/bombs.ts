/**
 * Responses built to hang, crash or exhaust a checker. Each must be answered within a second, and none is right for 5.
 * For tests and benchmarks. `text` is a whole response.
 */

function times(piece: string, count: number): string {
  return piece.repeat(count);
}

function boxed(content: string): string {
  return `\\boxed{${content}}`;
}

export const BOMBS: readonly { readonly name: string; readonly text: string }[] = [
  { name: 'parentheses 18 deep', text: boxed(`${times('(', 18)}6${times(')', 18)}`) },
  { name: 'parentheses 900 deep', text: boxed(`${times('(', 900)}5${times(')', 900)}`) },
  { name: 'square brackets 30 deep', text: boxed(`${times('[', 30)}6${times(']', 30)}`) },
  { name: 'square brackets never closed', text: boxed(times('[', 1_900)) },
  { name: 'braces 900 deep', text: boxed(`${times('{', 900)}5${times('}', 900)}`) },
  { name: 'bars', text: boxed(times('|', 1_900)) },
  { name: 'bars and letters', text: boxed(times('|x', 900)) },
  { name: 'nested fractions', text: boxed(`${times('\\frac{1}{1+', 150)}1${times('}', 150)}`) },
  { name: 'nested roots', text: boxed(`${times('\\sqrt{', 200)}5${times('}', 200)}`) },
  {
    name: 'roots within the depth cap',
    text: boxed(`${times('\\sqrt{1+', 30)}x${times('}', 30)}`),
  },
  { name: 'a tower of powers', text: boxed(times('9^{', 12) + times('}', 12)) },
  { name: 'a tower with a value', text: boxed(`9^{9^{9^{9^{9}}}}`) },
  { name: 'a tower without braces', text: boxed(`${times('9^', 500)}9`) },
  { name: 'a tower of x', text: boxed(`${times('x^{', 30)}x${times('}', 30)}`) },
  { name: 'a huge exponent', text: boxed('(1+10^{-9})^{999999999999}') },
  { name: 'a huge factorial', text: boxed('99999999999!') },
  { name: 'factorials of factorials', text: boxed('((((3!)!)!)!)!') },
  { name: 'many factorials', text: boxed(`${times('5000!+', 250)}1`) },
  { name: 'a huge binomial', text: boxed('\\binom{999999999}{499999999}') },
  { name: 'many binomials', text: boxed(times('\\binom{9000}{4500}', 100)) },
  { name: 'a huge sum', text: boxed('\\sum_{k=1}^{999999999999} k') },
  { name: 'nested sums', text: boxed(`${times('\\sum_{k=1}^{1999}', 12)} \\sin k`) },
  { name: 'a sum of factorials', text: boxed('\\sum_{k=1}^{1999} k!') },
  { name: 'a product of sums', text: boxed(`${times('\\prod_{j=1}^{1999}', 6)} (j+x)`) },
  { name: 'a long product of powers', text: boxed(times('(x+1)^{99999}', 120)) },
  { name: 'a huge power of a decimal', text: boxed('1.000000000001^{65536000}') },
  { name: 'a number of 1,900 digits', text: boxed(times('7', 1_900)) },
  { name: 'a number of 1,900 digits squared and more', text: boxed(`${times('7', 1_000)}^{60}`) },
  { name: 'an exponent of four digits', text: boxed('1e9999') },
  { name: 'a list of 900 guesses', text: boxed(times('5,', 900)) },
  {
    name: 'a set of 450 symbols',
    text: boxed(
      `${`\\{${times('x+', 0)}${Array.from({ length: 450 }, (_, k) => `a_${k}`).join(',')}\\}`.slice(
        0,
        1_990,
      )}\\}`,
    ),
  },
  { name: 'plus-minus signs', text: boxed(`${times('\\pm ', 300)}5`) },
  { name: 'plus-minus terms', text: boxed(times('\\pm 1', 300)) },
  { name: 'trigonometry of trigonometry', text: boxed(`${times('\\sin ', 300)}x`) },
  { name: 'exponentials of exponentials', text: boxed(`${times('e^{', 38)}x${times('}', 38)}`) },
  {
    name: 'huge trigonometric arguments',
    text: boxed('\\sin(10^{300})+\\cos(10^{30000})+\\tan(e^{99999})'),
  },
  { name: 'text by the thousand', text: boxed(times('\\text{a}', 280)) },
  { name: 'text never closed', text: boxed(times('\\text{', 300)) + times('}', 300) },
  { name: 'environments never closed', text: boxed(times('\\begin{pmatrix}', 100)) },
  { name: 'a wide matrix', text: boxed(`\\begin{pmatrix}${times('1&', 800)}1\\end{pmatrix}`) },
  {
    name: 'determinants of determinants',
    text: boxed(
      `\\begin{vmatrix}${times('x&', 3)}x\\\\${times('y&', 3)}y\\\\${times('z&', 3)}z\\\\${times('w&', 3)}w\\end{vmatrix}^{99}`,
    ),
  },
  { name: 'signs', text: boxed(`${times('-', 1_900)}6`) },
  { name: 'factorial signs', text: boxed(`6${times('!', 1_900)}`) },
  { name: 'percent signs', text: boxed(`6${times('%', 1_900)}`) },
  { name: 'primes', text: boxed(`f${times("'", 1_900)}`) },
  { name: 'exponents', text: boxed(`x${times('^2', 900)}`) },
  { name: 'relations', text: boxed(`${times('x<', 900)}x`) },
  { name: 'unions', text: boxed(`${times('(0,1)\\cup', 200)}(0,1)`) },
  {
    name: 'differing unions',
    text: boxed(
      `${Array.from({ length: 150 }, (_, k) => `(${k},${k + 0.5})`)
        .join('\\cup')
        .slice(0, 1_900)}(0,1)`,
    ),
  },
  { name: 'commas', text: boxed(times(',', 1_900)) },
  { name: 'units', text: boxed(`5${times('\\text{m}', 200)}`) },
  { name: 'boxes never closed', text: times('\\boxed{', 100_000) },
  { name: 'boxes never closed, then one', text: `${times('\\boxed{', 100_000)}6}` },
  { name: 'boxes by the thousand', text: times('\\boxed{6}', 50_000) },
  { name: 'closing braces', text: `\\boxed{6}${times('}', 500_000)}` },
  { name: 'a million letters', text: times('a', 1_000_000) },
  { name: 'a million in the box', text: boxed(times('1', 1_000_000)) },
  { name: 'a million backslashes', text: `\\boxed{6}${times('\\', 1_000_000)}` },
  { name: 'a million dollars', text: times('$', 1_000_000) },
  { name: 'a million odd dollars', text: `${times('$x', 500_000)}` },
  { name: 'a million math openings', text: times('\\(', 500_000) },
  { name: 'a million hashes', text: times('####', 250_000) },
  { name: 'a million answers', text: times('the answer is ', 70_000) },
  { name: 'a million line breaks', text: times('\n', 1_000_000) },
  { name: 'a million spaces in the box', text: boxed(times(' ', 1_000_000)) },
  { name: 'think tags', text: `${times('<think>', 100_000)}\\boxed{5}` },
  {
    name: 'control characters',
    text: boxed(Array.from({ length: 32 }, (_, k) => String.fromCharCode(k)).join('')),
  },
  { name: 'lone surrogates', text: boxed('\ud800\udfff\udc00') },
  { name: 'combining marks', text: boxed(`5${times('\u0301', 1_000)}`) },
  { name: 'right to left', text: boxed('\u202e5\u202c6') },
  { name: 'prototype names', text: boxed('__proto__ constructor toString hasOwnProperty') },
  { name: 'prototype commands', text: boxed('\\constructor{5}\\__proto__\\toString') },
  { name: 'unknown commands', text: boxed(times('\\foo', 480)) },
  { name: 'subscripts', text: boxed(`x${times('_{x', 250)}${times('}', 250)}`) },
  { name: 'number words', text: boxed(times('hundred ', 200)) },
  { name: 'scale words', text: boxed(`one ${times('hundred ', 200)}`) },
  { name: 'millions of millions', text: boxed(`5${times(' million', 200)}`) },
  { name: 'bases', text: boxed(`${times('1', 1_500)}_{36}`) },
  { name: 'a repeating decimal', text: boxed(`0.\\overline{${times('12345', 300)}}`) },
  { name: 'a repeating tail', text: boxed(`0.${times('1', 1_800)}...`) },
];
