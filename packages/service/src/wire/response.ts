/**
 * The response inside of what a trainer decoded from tokens: without the prompt before it and the
 * special tokens after it. Leaves out: reading answers out of it.
 */
import { badRequest } from '../http/problem.ts';

/** Text after the prompt. Decoding may have changed blanks, so they are passed over where they must be. */
export function withoutPrompt(query: string, prompt: string, field: string): string {
  const at = query.indexOf(prompt);
  if (at >= 0) return query.slice(at + prompt.length);
  const end = endOfPrompt(query, prompt);
  if (end === undefined) throw badRequest(field, 'does not begin with its prompt', query);
  return query.slice(end);
}

/** Longest text that a tokenizer may put before a prompt, like `<|begin_of_text|>`. */
const LONGEST_START = 40;

/** Where the prompt ends in the query if blanks do not count; undefined where it does not stand there. */
function endOfPrompt(query: string, prompt: string): number | undefined {
  const [first] = prompt.trimStart();
  if (first === undefined) return 0;
  for (let start = 0; start < LONGEST_START; start++) {
    if (query[start] !== first) continue;
    const end = matchEnd(query, start, prompt);
    if (end !== undefined) return end;
  }
  return undefined;
}

function matchEnd(query: string, start: number, prompt: string): number | undefined {
  let at = start;
  for (const unit of visible(prompt)) {
    while (isBlank(query[at])) at++;
    if (query[at] !== unit) return undefined;
    at++;
  }
  return at;
}

function* visible(text: string): Generator<string> {
  for (let i = 0; i < text.length; i++) if (!isBlank(text[i])) yield text[i]!;
}

function isBlank(unit: string | undefined): boolean {
  return unit === ' ' || unit === '\n' || unit === '\t' || unit === '\r';
}

const SPECIAL =
  /(?:<\|[\w.-]{1,40}\|>|<｜[^<>]{1,40}｜>|<\/?s>|<eos>|<pad>|<end_of_turn>|\[PAD\])\s*$/u;
/** What {@link SPECIAL} can match at most, with some blanks. */
const LONGEST_SPECIAL = 64;

/** Without the special tokens at the end: `<|im_end|>`, `</s>`, padding. */
export function withoutSpecialTokens(response: string): string {
  let end = response.length;
  for (;;) {
    const tail = response.slice(Math.max(0, end - LONGEST_SPECIAL), end);
    const match = SPECIAL.exec(tail);
    if (!match) return response.slice(0, end);
    end -= match[0].length;
  }
}
