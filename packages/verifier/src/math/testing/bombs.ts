/**
 * Responses that try to hang, crash or exhaust a checker. Each must get a verdict within a second, and none is correct for
 * the reference 5. For tests and benchmarks. `text` is a whole response.
 */

function times(piece: string, count: number): string {
  return piece.repeat(count);
}

function box(content: string): string {
  return `\\boxed{${content}}`;
}

export const BOMBS: readonly { readonly name: string; readonly text: string }[] = [
  { name: 'parentheses 18 deep', text: box(`${times('(', 18)}6${times(')', 18)}`) },
  { name: 'parentheses 900 deep', text: box(`${times('(', 900)}5${times(')', 900)}`) },
  { name: 'square brackets 30 deep', text: box(`${times('[', 30)}6${times(']', 30)}`) },
  { name: 'square brackets never closed', text: box(times('[', 1_900)) },
  { name: 'braces 900 deep', text: box(`${times('{', 900)}5${times('}', 900)}`) },
  { name: 'bars', text: box(times('|', 1_900)) },
  { name: 'bars and letters', text: box(times('|x', 900)) },
  { name: 'nested fractions', text: box(`${times('\\frac{1}{1+', 150)}1${times('}', 150)}`) },
  { name: 'nested roots', text: box(`${times('\\sqrt{', 200)}5${times('}', 200)}`) },
  {
    name: 'roots within the depth cap',
    text: box(`${times('\\sqrt{1+', 30)}x${times('}', 30)}`),
  },
  { name: 'a tower of powers', text: box(times('9^{', 12) + times('}', 12)) },
  { name: 'a tower with a value', text: box(`9^{9^{9^{9^{9}}}}`) },
  { name: 'a tower without braces', text: box(`${times('9^', 500)}9`) },
  { name: 'a tower of x', text: box(`${times('x^{', 30)}x${times('}', 30)}`) },
  { name: 'a huge exponent', text: box('(1+10^{-9})^{999999999999}') },
  { name: 'a huge factorial', text: box('99999999999!') },
  { name: 'factorials of factorials', text: box('((((3!)!)!)!)!') },
  { name: 'many factorials', text: box(`${times('5000!+', 250)}1`) },
  { name: 'a huge binomial', text: box('\\binom{999999999}{499999999}') },
  { name: 'many binomials', text: box(times('\\binom{9000}{4500}', 100)) },
  { name: 'a huge sum', text: box('\\sum_{k=1}^{999999999999} k') },
  { name: 'nested sums', text: box(`${times('\\sum_{k=1}^{1999}', 12)} \\sin k`) },
  { name: 'a sum of factorials', text: box('\\sum_{k=1}^{1999} k!') },
  { name: 'a product of sums', text: box(`${times('\\prod_{j=1}^{1999}', 6)} (j+x)`) },
  { name: 'a long product of powers', text: box(times('(x+1)^{99999}', 120)) },
  { name: 'a huge power of a decimal', text: box('1.000000000001^{65536000}') },
  { name: 'a number of 1,900 digits', text: box(times('7', 1_900)) },
  { name: 'a number of 1,900 digits squared and more', text: box(`${times('7', 1_000)}^{60}`) },
  { name: 'an exponent of four digits', text: box('1e9999') },
  { name: 'a list of 900 guesses', text: box(times('5,', 900)) },
  {
    name: 'a set of 450 symbols',
    text: box(
      `${`\\{${times('x+', 0)}${Array.from({ length: 450 }, (_, k) => `a_${k}`).join(',')}\\}`.slice(
        0,
        1_990,
      )}\\}`,
    ),
  },
  { name: 'plus-minus signs', text: box(`${times('\\pm ', 300)}5`) },
  { name: 'plus-minus terms', text: box(times('\\pm 1', 300)) },
  { name: 'trigonometry of trigonometry', text: box(`${times('\\sin ', 300)}x`) },
  { name: 'exponentials of exponentials', text: box(`${times('e^{', 38)}x${times('}', 38)}`) },
  {
    name: 'huge trigonometric arguments',
    text: box('\\sin(10^{300})+\\cos(10^{30000})+\\tan(e^{99999})'),
  },
  { name: 'text by the thousand', text: box(times('\\text{a}', 280)) },
  { name: 'text never closed', text: box(times('\\text{', 300)) + times('}', 300) },
  { name: 'environments never closed', text: box(times('\\begin{pmatrix}', 100)) },
  { name: 'a wide matrix', text: box(`\\begin{pmatrix}${times('1&', 800)}1\\end{pmatrix}`) },
  {
    name: 'determinants of determinants',
    text: box(
      `\\begin{vmatrix}${times('x&', 3)}x\\\\${times('y&', 3)}y\\\\${times('z&', 3)}z\\\\${times('w&', 3)}w\\end{vmatrix}^{99}`,
    ),
  },
  { name: 'signs', text: box(`${times('-', 1_900)}6`) },
  { name: 'factorial signs', text: box(`6${times('!', 1_900)}`) },
  { name: 'percent signs', text: box(`6${times('%', 1_900)}`) },
  { name: 'primes', text: box(`f${times("'", 1_900)}`) },
  { name: 'exponents', text: box(`x${times('^2', 900)}`) },
  { name: 'relations', text: box(`${times('x<', 900)}x`) },
  { name: 'unions', text: box(`${times('(0,1)\\cup', 200)}(0,1)`) },
  {
    name: 'differing unions',
    text: box(
      `${Array.from({ length: 150 }, (_, k) => `(${k},${k + 0.5})`)
        .join('\\cup')
        .slice(0, 1_900)}(0,1)`,
    ),
  },
  { name: 'commas', text: box(times(',', 1_900)) },
  { name: 'units', text: box(`5${times('\\text{m}', 200)}`) },
  { name: 'boxes never closed', text: times('\\boxed{', 100_000) },
  { name: 'boxes never closed, then one', text: `${times('\\boxed{', 100_000)}6}` },
  { name: 'boxes by the thousand', text: times('\\boxed{6}', 50_000) },
  { name: 'closing braces', text: `\\boxed{6}${times('}', 500_000)}` },
  { name: 'a million letters', text: times('a', 1_000_000) },
  { name: 'a million in the box', text: box(times('1', 1_000_000)) },
  { name: 'a million backslashes', text: `\\boxed{6}${times('\\', 1_000_000)}` },
  { name: 'a million dollars', text: times('$', 1_000_000) },
  { name: 'a million odd dollars', text: `${times('$x', 500_000)}` },
  { name: 'a million math openings', text: times('\\(', 500_000) },
  { name: 'a million hashes', text: times('####', 250_000) },
  { name: 'a million answers', text: times('the answer is ', 70_000) },
  { name: 'a million line breaks', text: times('\n', 1_000_000) },
  { name: 'a million spaces in the box', text: box(times(' ', 1_000_000)) },
  { name: 'think tags', text: `${times('<think>', 100_000)}\\boxed{5}` },
  {
    name: 'control characters',
    text: box(Array.from({ length: 32 }, (_, k) => String.fromCharCode(k)).join('')),
  },
  { name: 'lone surrogates', text: box('\ud800\udfff\udc00') },
  { name: 'combining marks', text: box(`5${times('\u0301', 1_000)}`) },
  { name: 'right to left', text: box('\u202e5\u202c6') },
  { name: 'prototype names', text: box('__proto__ constructor toString hasOwnProperty') },
  { name: 'prototype commands', text: box('\\constructor{5}\\__proto__\\toString') },
  { name: 'unknown commands', text: box(times('\\foo', 480)) },
  { name: 'subscripts', text: box(`x${times('_{x', 250)}${times('}', 250)}`) },
  { name: 'number words', text: box(times('hundred ', 200)) },
  { name: 'scale words', text: box(`one ${times('hundred ', 200)}`) },
  { name: 'millions of millions', text: box(`5${times(' million', 200)}`) },
  { name: 'bases', text: box(`${times('1', 1_500)}_{36}`) },
  { name: 'a repeating decimal', text: box(`0.\\overline{${times('12345', 300)}}`) },
  { name: 'a repeating tail', text: box(`0.${times('1', 1_800)}...`) },
];
