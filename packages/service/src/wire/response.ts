/**
 * Extracts the response from what a trainer decoded: removes the prompt before it and the special tokens after it. Leaves
 * out: reading answers from the response.
 */
import { badRequest } from '../http/problem.ts';

/**
 * The text after the prompt. Decoding may have changed white space, so white space is ignored if the prompt does not
 * match exactly.
 *
 * @throws {Problem} 400 if the query does not begin with the prompt
 */
export function removePrompt(query: string, prompt: string, field: string): string {
  const at = query.indexOf(prompt);
  if (at >= 0) return query.slice(at + prompt.length);
  const end = endOfPrompt(query, prompt);
  if (end === undefined) throw badRequest(field, 'must begin with its prompt', query);
  return query.slice(end);
}

/** Longest text that a tokenizer may put before a prompt, such as `<|begin_of_text|>`. */
const MAX_PREFIX_CHARS = 40;

/** Index after the prompt, ignoring white space. Undefined if the query does not begin with it. */
function endOfPrompt(query: string, prompt: string): number | undefined {
  const [first] = prompt.trimStart();
  if (first === undefined) return 0;
  for (let start = 0; start < MAX_PREFIX_CHARS; start++) {
    if (query[start] !== first) continue;
    const end = matchEnd(query, start, prompt);
    if (end !== undefined) return end;
  }
  return undefined;
}

function matchEnd(query: string, start: number, prompt: string): number | undefined {
  let at = start;
  for (const unit of visibleUnits(prompt)) {
    while (isBlank(query[at])) at++;
    if (query[at] !== unit) return undefined;
    at++;
  }
  return at;
}

function* visibleUnits(text: string): Generator<string> {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charAt(i);
    if (!isBlank(unit)) yield unit;
  }
}

function isBlank(unit: string | undefined): boolean {
  return unit === ' ' || unit === '\n' || unit === '\t' || unit === '\r';
}

const SPECIAL_TOKEN =
  /(?:<\|[\w.-]{1,40}\|>|<｜[^<>]{1,40}｜>|<\/?s>|<eos>|<pad>|<end_of_turn>|\[PAD\])\s*$/u;
/** Longest match of {@link SPECIAL_TOKEN} with some white space: bounds the text that is searched. */
const MAX_SPECIAL_CHARS = 64;

/** Removes special tokens at the end: `<|im_end|>`, `</s>`, padding. */
export function removeSpecialTokens(response: string): string {
  let end = response.length;
  for (;;) {
    const tail = response.slice(Math.max(0, end - MAX_SPECIAL_CHARS), end);
    const match = SPECIAL_TOKEN.exec(tail);
    if (!match) return response.slice(0, end);
    end -= match[0].length;
  }
}
