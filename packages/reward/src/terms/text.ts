/** Terms that read the text of the attempt. All are linear in its length, whatever it holds. */
import { overlongPenalty } from '../shaping.ts';
import type { Term } from './types.ts';

/**
 * 1 where the text is one block of reasoning and then an answer, `<think>...</think>answer`, with neither empty and no
 * further tag; else 0 (the format reward of DeepSeek-R1, arXiv 2501.12948).
 */
export const think: Term = ({ attempt }) => {
  const text = attempt.text.trim();
  const [open, close] = ['<think>', '</think>'];
  const [inside, answer, ...more] = text.slice(open.length).split(close);
  const whole = text.startsWith(open) && answer !== undefined && more.length === 0;
  if (!whole || text.indexOf(open, 1) >= 0) return 0;
  return inside?.trim() && answer.trim() ? 1 : 0;
};

/** 0 up to `free` tokens, then linearly down to -1 at `max` (eq. 13 of DAPO). Nothing to say where nobody counted tokens. */
export function length({ free, max }: { readonly free: number; readonly max: number }): Term {
  if (!(free >= 0 && free < max))
    throw new RangeError(`length needs 0 <= free < max, received ${free} and ${max}`);
  return ({ tokens }) =>
    tokens === undefined ? undefined : overlongPenalty(tokens, max, max - free);
}

/** Fenced blocks are programs or formulas, not prose. */
const FENCE = /^[ \t]*(`{3,}|~{3,})/;

/** The text outside fenced blocks; an open fence hides the rest. */
function prose(text: string): string {
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
 * Share of the letters outside fenced blocks that belong to a script (the language consistency reward of DeepSeek-R1, by
 * letters instead of words). Nothing to say on a text without letters.
 * @param script as Unicode names it: `Latin`, `Han`, `Cyrillic`, `Arabic`, ...
 * @throws {SyntaxError} on a script that Unicode does not have
 */
export function language(script: string): Term {
  if (!/^\w+$/.test(script)) throw new SyntaxError(`not the name of a script: ${script}`);
  const own = new RegExp(`\\p{Script=${script}}`, 'gu');
  return ({ attempt }) => {
    const text = prose(attempt.text).match(/\p{L}/gu)?.join('') ?? '';
    const letters = [...text].length;
    return letters === 0 ? undefined : (text.match(own)?.length ?? 0) / letters;
  };
}

/** 1 for a text without a fenced block, else 0: where an answer is wanted, not a program that would compute it. */
export const noCode: Term = ({ attempt }) =>
  attempt.text.split('\n').some((line) => FENCE.test(line)) ? 0 : 1;

/** Words that count as one when repetition is looked for. */
const GRAM = 4;

/** Minus the share of runs of four words that stood in the text before: -1 for a text that goes round in circles. */
export const repetition: Term = ({ attempt }) => {
  const words = attempt.text.match(/\S+/g) ?? [];
  const grams = words.slice(GRAM - 1).map((_, i) => words.slice(i, i + GRAM).join(' '));
  return grams.length === 0 ? 0 : new Set(grams).size / grams.length - 1;
};
