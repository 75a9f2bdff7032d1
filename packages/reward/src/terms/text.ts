/** Terms that read the text of the attempt. Each takes time linear in its length. */
import { overlongPenalty } from '../shaping.ts';
import type { Scored, Term } from './types.ts';

const OPEN_TAG = '<think>';
const CLOSE_TAG = '</think>';

/**
 * 1 if the text is one block of reasoning followed by an answer, `<think>...</think>answer`, with neither part empty and
 * no further tag; else 0. This is the format reward of DeepSeek-R1 (arXiv 2501.12948).
 */
export function think({ attempt }: Scored): number {
  const text = attempt.text.trim();
  const [inside, answer, ...more] = text.slice(OPEN_TAG.length).split(CLOSE_TAG);
  const isWhole = text.startsWith(OPEN_TAG) && answer !== undefined && more.length === 0;
  if (!isWhole || text.indexOf(OPEN_TAG, 1) >= 0) return 0;
  return inside?.trim() && answer.trim() ? 1 : 0;
}

/**
 * Length penalty: 0 up to `free` tokens, then linear down to -1 at `max` tokens (equation 13 of DAPO). Does not apply to
 * attempts whose tokens were not counted.
 *
 * @throws {RangeError} unless 0 <= free < max
 */
export function length({ free, max }: { readonly free: number; readonly max: number }): Term {
  if (!(free >= 0 && free < max)) {
    throw new RangeError(`length: expected 0 <= free < max, got free ${free} and max ${max}`);
  }
  return ({ tokens }) =>
    tokens === undefined ? undefined : overlongPenalty(tokens, max, max - free);
}

/** Fenced blocks are programs or formulas, not prose. */
const FENCE = /^[ \t]*(`{3,}|~{3,})/;

/** The text outside fenced blocks. A fence that is never closed hides the rest of the text. */
function removeFencedBlocks(text: string): string {
  let fence: string | undefined;
  const outside = text.split('\n').filter((line) => {
    const mark = FENCE.exec(line)?.[1]?.slice(0, 3);
    if (mark === undefined) return fence === undefined;
    if (fence === undefined) fence = mark;
    else if (fence === mark) fence = undefined;
    return false;
  });
  return outside.join('\n');
}

/**
 * Share of the letters outside fenced blocks that belong to a script. It is the language consistency reward of
 * DeepSeek-R1, computed over letters instead of words. Does not apply to a text without letters.
 *
 * @param script Unicode name of the script: `Latin`, `Han`, `Cyrillic`, `Arabic`, ...
 * @throws {SyntaxError} if Unicode has no such script
 */
export function language(script: string): Term {
  if (!/^\w+$/.test(script)) {
    throw new SyntaxError(`script: expected a Unicode script name such as Latin, got ${script}`);
  }
  const ofScript = new RegExp(`\\p{Script=${script}}`, 'gu');
  return ({ attempt }) => {
    const text = removeFencedBlocks(attempt.text).match(/\p{L}/gu)?.join('') ?? '';
    const letters = [...text].length;
    return letters === 0 ? undefined : (text.match(ofScript)?.length ?? 0) / letters;
  };
}

/** 1 for a text without a fenced block, else 0. For tasks that ask for an answer, not for a program that computes it. */
export function noCode({ attempt }: Scored): number {
  return attempt.text.split('\n').some((line) => FENCE.test(line)) ? 0 : 1;
}

/** Length of the word sequences that {@link repetition} compares. */
const NGRAM_WORDS = 4;

/** Minus the share of four-word sequences that occurred before in the text: near -1 for a text that loops. */
export function repetition({ attempt }: Scored): number {
  const words = attempt.text.match(/\S+/g) ?? [];
  const ngrams = words
    .slice(NGRAM_WORDS - 1)
    .map((_, i) => words.slice(i, i + NGRAM_WORDS).join(' '));
  return ngrams.length === 0 ? 0 : new Set(ngrams).size / ngrams.length - 1;
}
