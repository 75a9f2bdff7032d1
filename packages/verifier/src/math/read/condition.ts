/**
 * Replaces prose after a formula that names its parameters: "where k is an integer", "for any integer n", "C is a constant".
 * It becomes the equivalent LaTeX, or is removed if it says nothing about the value.
 */

const OPEN = String.raw`(?:\\text(?:rm|normal)?\s*\{|\\mathrm\s*\{|\\mbox\s*\{)?\s*`;
const SHUT = String.raw`\s*\}?\s*`;

/** `, where`, `(where`, `for`: the start of the clause. */
const LEAD = String.raw`[\s,;(]*${OPEN}\s*(?:where|with|for|in which)?${SHUT}${OPEN}(?:each|any|all|some|every|an|a)?\s*`;

const INTEGER_AFTER = new RegExp(
  `${LEAD}(?<![a-z])\\$?([a-z])\\$?${SHUT}${OPEN}\\s*(?:is|are)\\s+(?:an?\\s+|any\\s+|some\\s+)?(?:arbitrary\\s+)?integers?${SHUT}\\)?\\.?$`,
  'i',
);
const INTEGER_BEFORE = new RegExp(
  `[\\s,;(]*${OPEN}\\s*(?:where|with|for)\\b${SHUT}${OPEN}(?:each|any|all|some|every|an|a)?\\s*integers?(?![a-z])\\s*(?:values? of\\s*)?${SHUT}\\$?([a-z])(?![a-z])\\$?${SHUT}\\)?\\.?$`,
  'i',
);
const CONSTANT = new RegExp(
  `[\\s,;(]+${OPEN}\\s*(?:where|with|and)?${SHUT}\\$?[A-Za-z](?:_\\{?\\d\\}?)?\\$?${SHUT}${OPEN}\\s*(?:is|are|being)\\s+(?:an?\\s+|any\\s+|some\\s+|the\\s+)?(?:real\\s+|arbitrary\\s+|integration\\s+)*constants?(?:\\s+of\\s+integration)?${SHUT}\\)?\\.?$`,
  'i',
);
const WHERE = new RegExp(`[\\s,;]*${OPEN}\\s*(?:where|with)${SHUT}(?=[a-z]\\s*\\\\in)`, 'i');

/** Longest clause that is found: the patterns search only the end of the text. */
const MAX_CLAUSE = 120;

/** The answer with its clause of parameters as a condition. */
export function withConditions(text: string): string {
  if (!/integer|constant|where|with/i.test(text)) return text;
  const cut = Math.max(0, text.length - MAX_CLAUSE);
  const head = text.slice(0, cut);
  // At most one blank: otherwise the optional parts of the patterns backtrack over long runs.
  const tail = text.slice(cut).replace(/\s+/g, ' ');
  const rewritten = tail
    .replace(CONSTANT, '')
    .replace(INTEGER_AFTER, ', $1 \\in \\mathbb{Z}')
    .replace(INTEGER_BEFORE, ', $1 \\in \\mathbb{Z}')
    .replace(WHERE, ', ');
  return head + rewritten;
}
