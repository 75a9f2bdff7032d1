/**
 * Normalizes notation before reading: removes what has no meaning (`\left`, `$`, `\displaystyle`, spacing) and maps Unicode
 * signs to LaTeX or ASCII. Each pass is linear. Leaves out: commas, percent and units, which the reader handles.
 */

/** Stands for a comma in braces (`14{,}400`), which never separates list items. U+201A does not occur in answers. */
export const HARD_COMMA = '\u201A';

const UNICODE: Readonly<Record<string, string>> = {
  '−': '-',
  '–': '-',
  '—': '-',
  '‒': '-',
  '﹣': '-',
  '－': '-',
  '＋': '+',
  '＝': '=',
  '×': '\\times ',
  '⋅': '\\cdot ',
  '·': '\\cdot ',
  '∙': '\\cdot ',
  '•': '\\cdot ',
  '÷': '\\div ',
  '√': '\\sqrt ',
  '∛': '\\sqrt[3]',
  π: '\\pi ',
  θ: '\\theta ',
  α: '\\alpha ',
  β: '\\beta ',
  γ: '\\gamma ',
  δ: '\\delta ',
  λ: '\\lambda ',
  μ: '\\mu ',
  σ: '\\sigma ',
  φ: '\\phi ',
  ω: '\\omega ',
  Δ: '\\Delta ',
  Ω: '\\Omega ',
  '∞': '\\infty ',
  '≤': '\\le ',
  '≥': '\\ge ',
  '⩽': '\\le ',
  '⩾': '\\ge ',
  '≠': '\\ne ',
  '≈': '\\approx ',
  '≡': '\\equiv ',
  '±': '\\pm ',
  '∓': '\\mp ',
  '∪': '\\cup ',
  '∩': '\\cap ',
  '∈': '\\in ',
  '∉': '\\notin ',
  '∅': '\\emptyset ',
  '⊂': '\\subset ',
  '⊆': '\\subseteq ',
  '→': '\\to ',
  '↦': '\\mapsto ',
  '⇒': '\\Rightarrow ',
  ℝ: '\\mathbb{R}',
  ℤ: '\\mathbb{Z}',
  ℕ: '\\mathbb{N}',
  ℚ: '\\mathbb{Q}',
  ℂ: '\\mathbb{C}',
  '°': '^\\circ ',
  º: '^\\circ ',
  '′': "'",
  '’': "'",
  '‘': "'",
  '″': "''",
  '“': '"',
  '”': '"',
  '…': '\\ldots ',
  '∣': '|',
  '∠': '\\angle ',
  '½': '\\frac{1}{2}',
  '⅓': '\\frac{1}{3}',
  '⅔': '\\frac{2}{3}',
  '¼': '\\frac{1}{4}',
  '¾': '\\frac{3}{4}',
  '⅕': '\\frac{1}{5}',
  '⅖': '\\frac{2}{5}',
  '⅗': '\\frac{3}{5}',
  '⅘': '\\frac{4}{5}',
  '⅙': '\\frac{1}{6}',
  '⅚': '\\frac{5}{6}',
  '⅛': '\\frac{1}{8}',
  '⅜': '\\frac{3}{8}',
  '⅝': '\\frac{5}{8}',
  '⅞': '\\frac{7}{8}',
  '⁄': '/',
  '∕': '/',
  '⌊': '\\lfloor ',
  '⌋': '\\rfloor ',
  '⌈': '\\lceil ',
  '⌉': '\\rceil ',
  '⟨': '\\langle ',
  '⟩': '\\rangle ',
  '％': '%',
  '，': ',',
  '。': '.',
  '：': ':',
  '；': ';',
  '（': '(',
  '）': ')',
  '［': '[',
  '］': ']',
  '｛': '{',
  '｝': '}',
  '￥': '¥',
  '\u00a0': ' ',
  '\u2009': ' ',
  '\u202f': ' ',
  '\u2002': ' ',
  '\u2003': ' ',
  '\u200b': '',
  '\ufeff': '',
  '\u2062': '',
  '\u2061': '',
};
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ';
const SUPERSCRIPT_VALUES = '0123456789+-n';
const SUBSCRIPTS = '₀₁₂₃₄₅₆₇₈₉';
const NON_ASCII = /[^\0-\x7f]/u;
const NON_ASCII_ALL = /[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+|[₀-₉]+|[^\0-\x7f]/gu;

function replaceSign(run: string): string {
  const first = run[0]!;
  if (SUPERSCRIPTS.includes(first)) {
    return `^{${[...run].map((c) => SUPERSCRIPT_VALUES[SUPERSCRIPTS.indexOf(c)]).join('')}}`;
  }
  if (SUBSCRIPTS.includes(first)) {
    return `_{${[...run].map((c) => SUBSCRIPTS.indexOf(c)).join('')}}`;
  }
  return UNICODE[run] ?? run;
}

/** Stands for a row or line break, `\\` with its optional spacing. */
export const ROW_BREAK = '\u0002';
const BREAKS =
  /\\\\(?:\*)?(?:\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm)\s*\])?|\\(?:newline|cr)(?![a-zA-Z])/g;
/** Size and style commands without meaning. `\left.` and `\right.` are invisible. */
const NOISE =
  /\\(?:left|right|middle)(?:\s*\.(?!\d))?(?![a-zA-Z])|\\(?:[bB]igg?[lrm]?|displaystyle|textstyle|scriptstyle|limits|nolimits|rm|bf|it|boldmath|large|Large|small|tiny|normalsize|hfill|noindent|hline|checkmark|qed|square|blacksquare|Box|ldotp)(?![a-zA-Z])|\\\/|\\[()[\]]|\\(?:label|tag\*?)\{[^{}]*\}/g;
const SPACES =
  /\\(?:quad|qquad|space|enspace|thinspace|medspace|thickspace|negthinspace)(?![a-zA-Z])|\\[,;:> ]|~|\\(?:hspace\*?|phantom|vphantom|hphantom)\{[^{}]*\}|\\[vh]?phantom(?![a-zA-Z{])/g;
const BARS = /\\(?:[lr]?vert|mid)(?![a-zA-Z])/g;
const DOUBLE_BARS = /\\(?:[lr]?Vert)(?![a-zA-Z])/g;
const BRACES = /\\(l|r)brace(?![a-zA-Z])/g;
const BRACKETS = /\\(l|r)brack(?![a-zA-Z])/g;
/** `x = 1 \quad y = 2`. */
const QUAD_ASSIGNMENT = /(?<=[\w}]\s*)\\q?quad\s*(?=[a-z](?:_\{?\w\}?)?\s*=)/g;
/** `5th`, `5^{\text{th}}`. */
const ORDINAL =
  /(?<=\d)\s*(?:\^\s*)?\{?\s*(?:\\(?:text|mathrm|textrm)\s*\{)?\s*(?:st|nd|rd|th)\s*\}?\s*\}?(?![a-zA-Z}])/g;
/** `\left\{ ... \right.` around lines: the lines are the answer. */
const LEFT_BRACE = /\\left\s*\\(?:\{|lbrace)\s*(?=\\begin\s*\{(?:array|aligned|matrix|gathered)\})/;
/** `(k \in \mathbb{Z})` after a formula. */
const PARAMETER =
  /(?:\\[ ,;]|\\q?quad|[\s,;])*\(\s*([a-z])\s*\\in\s*(?:\\mathbb|\\mathbf|\\mathrm)?\s*\{?\s*([ZN])\s*\}?\s*\)\s*$/;
/** `{}_5C_2`. */
const COMBINATION = /\{\s*\}\s*_\s*\{?(\d+)\}?\s*C\s*_\s*\{?(\d+)\}?/g;
const COLOR = /\\(?:textcolor|color|colorbox|definecolor)\s*\{[^{}]*\}/g;
/** `3.5x10^4`. */
const TYPED_TIMES = /(?<=\d)\s*[xX]\s*(?=10\s*\^)/g;
const MONEY = '\u0001';

/** A single `$` before a number is money. Dollars in pairs are math mode and have no meaning. */
function dollars(s: string): string {
  const count = s.split('$').length - 1;
  if (count === 0) return s;
  const money = count % 2 === 1 ? s.replace(/\$(?=\s*-?[\d.])/, MONEY) : s;
  return money.replaceAll('$', ' ');
}

const MAX_PARAMETER = 80;

/** Searches only the end, because the pattern can start at every blank of a long run. */
function withParameter(s: string): string {
  if (!s.includes('\\in')) return s;
  const cut = Math.max(0, s.length - MAX_PARAMETER);
  return s.slice(0, cut) + s.slice(cut).replace(PARAMETER, ', $1 \\in \\mathbb{$2}');
}

function oneBlank(s: string): string {
  return s.replace(/\s{2,}/g, ' ');
}

/** Takes time linear in the length of `text`, which the caller must limit. */
export function clean(text: string): string {
  let s = NON_ASCII.test(text) ? text.replace(NON_ASCII_ALL, replaceSign) : text;
  // Runs of blanks become one blank, so that patterns with optional blanks take linear time.
  s = oneBlank(s);
  if (/[\\$~{]/.test(s)) {
    if (/\\right\s*\./.test(s)) s = s.replace(LEFT_BRACE, '');
    s = withParameter(s.replace(COLOR, '')).replace(COMBINATION, '\\binom{$1}{$2}');
    s = s.replace(BREAKS, ROW_BREAK).replaceAll('\\$', MONEY);
    s = dollars(
      s
        .replace(/,\s*\\!\s*(?=\d{3}(?!\d))/g, HARD_COMMA)
        .replace(/\\!/g, '')
        .replace(QUAD_ASSIGNMENT, ', '),
    )
      .replace(NOISE, ' ')
      .replace(SPACES, ' ');
    s = s.replace(BARS, '|').replace(DOUBLE_BARS, '\\|');
    s = s
      .replace(BRACES, (_, side) => (side === 'l' ? '\\{' : '\\}'))
      .replace(BRACKETS, (_, side) => (side === 'l' ? '[' : ']'));
    s = s.replace(/\{\s*,\s*\}/g, HARD_COMMA).replaceAll(MONEY, '\\$ ');
  }
  s = oneBlank(s);
  if (/\d\s*[\^{\\snrt]/.test(s)) s = s.replace(ORDINAL, '');
  return (/[xX]\s*10/.test(s) ? s.replace(TYPED_TIMES, '\\times ') : s).trim();
}
