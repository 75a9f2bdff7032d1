/**
 * Finds the answer in a response: one candidate or none, never several.
 * Every search is one pass over the text, so thousands of unclosed boxes cost no more than prose.
 */
import type { Extraction } from './options.ts';

/** An answer and where it was found. */
export interface Extracted {
  readonly text: string;
  readonly from:
    | 'boxed'
    | 'answer-is'
    | 'hash'
    | 'last-math'
    | 'last-line'
    | 'last-number'
    | 'whole'
    | 'choice';
  /** Offset of `text` in the response; of its first part, if it was joined from several boxes. */
  readonly start: number;
}

/** Longest end of a response that is searched, in UTF-16 code units. */
const MAX_SEARCHED = 2_000_000;

/** Finds the answer. @returns undefined if the response does not have the place that `mode` names */
export function extract(response: string, mode: Extraction): Extracted | undefined {
  const cut = Math.max(0, response.length - MAX_SEARCHED);
  const offset = Math.max(cut, reasoningEnd(response));
  const found = searchFor(response.slice(offset), mode);
  return found && { ...found, start: found.start + offset };
}

const REASONING_ENDS = [
  '</think>',
  '</thinking>',
  '</reasoning>',
  '<|end_of_thought|>',
  '[/THINK]',
];

/** The offset after the last mark that ends a reasoning part. A reasoning part that is never closed reaches to the end. */
function reasoningEnd(response: string): number {
  let end = 0;
  for (const mark of REASONING_ENDS) {
    const at = response.lastIndexOf(mark);
    if (at >= 0) end = Math.max(end, at + mark.length);
  }
  const opened = response.lastIndexOf('<think>');
  return opened >= end && opened >= 0 ? response.length : end;
}

function searchFor(text: string, mode: Extraction): Extracted | undefined {
  switch (mode) {
    case 'boxed':
      return findLastBox(text);
    case 'answer-is':
      return findLastBox(text) ?? findAnswerPhrase(text);
    case 'hash':
      return findHashAnswer(text);
    case 'last-math':
      return findLastMath(text);
    case 'last-line':
      return findLastLine(text);
    case 'whole':
      return cutOut(text, 0, text.length, 'whole');
    case 'choice':
      return findLastBox(text) ?? findChoice(text);
    case 'any':
      return (
        findLastBox(text) ??
        findOnlyMath(text) ??
        findHashAnswer(text) ??
        findAnswerPhrase(text) ??
        findPickedLetter(text) ??
        findLastMath(text) ??
        findLastLine(text)
      );
  }
}

function cutOut(
  text: string,
  start: number,
  end: number,
  from: Extracted['from'],
): Extracted | undefined {
  const piece = text.slice(start, end);
  const inner = piece.trim();
  return inner === '' ? undefined : { text: inner, from, start: start + piece.indexOf(inner) };
}

interface Box {
  /** Of the command, and of the content. */
  readonly command: number;
  readonly start: number;
  readonly end: number;
}

const BOX = /\\(?:boxed|fbox|framebox)\s*\{|\\[\\{}]|[{}]/g;

/** All closed, non-empty boxes that are not inside another closed box. One pass with a stack. */
function findBoxes(text: string): Box[] {
  const first = text.search(/\\(?:boxed|fbox|framebox)/);
  if (first < 0) return [];
  const found: Box[] = [];
  const open: { command: number; start: number; box: boolean }[] = [];
  BOX.lastIndex = first;
  for (let m = BOX.exec(text); m !== null; m = BOX.exec(text)) {
    if (m[0] === '}') closeBox(text, open, found, m.index);
    else if (m[0].endsWith('{') && m[0] !== '\\{') {
      open.push({ command: m.index, start: BOX.lastIndex, box: m[0].length > 1 });
    }
  }
  return found;
}

function closeBox(
  text: string,
  open: { command: number; start: number; box: boolean }[],
  found: Box[],
  end: number,
): void {
  const top = open.pop();
  if (!top?.box || text.slice(top.start, end).trim() === '') return;
  while (found.length > 0 && found.at(-1)!.command > top.command) found.pop();
  found.push({ command: top.command, start: top.start, end });
}

const ADJACENT =
  /^[\s$,;.&]*(?:\\[,;:() \]]|\\quad|\\text\s*\{\s*(?:and|or)?,?\s*\}|and|or)*[\s$,;&]*$/;
const MAX_ADJACENT = 12;

/** The last box, joined with the boxes directly before it into one list. */
function findLastBox(text: string): Extracted | undefined {
  const all = findBoxes(text);
  const last = all.at(-1);
  if (!last) return findBareBox(text);
  const group = [last];
  for (let k = all.length - 2; k >= 0 && group.length < MAX_ADJACENT; k--) {
    const between = text.slice(all[k]!.end + 1, group[0]!.command);
    if (between.length > 24 || !ADJACENT.test(between)) break;
    group.unshift(all[k]!);
  }
  const texts = group.map((box) => unwrapBox(text.slice(box.start, box.end)));
  const joined = texts.every((t) => t === texts[0]) ? texts[0]! : texts.join(', ');
  return { text: joined, from: 'boxed', start: group[0]!.start };
}

/** Removes a box inside the box. */
function unwrapBox(content: string): string {
  const inner = /^\s*\\(?:boxed|fbox)\s*\{([\s\S]*)\}\s*$/.exec(content);
  return (inner ? inner[1]! : content).trim();
}

/** `\boxed 5` without braces: TeX takes one token, but authors mean the rest of the formula. */
function findBareBox(text: string): Extracted | undefined {
  const at = Math.max(text.lastIndexOf('\\boxed '), text.lastIndexOf('\\fbox '));
  if (at < 0) return undefined;
  const start = text.indexOf(' ', at);
  const m = /^ *([^\s${}\\][^$\n{}\\]{0,60})/.exec(text.slice(start, start + 80));
  return m ? cutOut(text, start, start + m[0].length, 'boxed') : undefined;
}

function findHashAnswer(text: string): Extracted | undefined {
  const at = text.lastIndexOf('####');
  if (at < 0) return undefined;
  const line = text.indexOf('\n', at);
  return cutOut(text, at + 4, line < 0 ? text.length : line, 'hash');
}

const ANSWER =
  /(?:(?:final|correct|best)[ \t]{1,8})?(?:answer|option|choice)[ \t]{0,8}(?:\*\*)?[ \t]{0,8}(?:is|:|=|would be|should be)[ \t]{0,8}(?:\*\*)?[ \t]{0,8}:?|(?:^|\n)[ \t]{0,8}(?:\*\*)?A[ \t]{0,8}:|(?:^|\n)[ \t]{0,8}(?:\*\*)?(?:Result|Answer|Solution)(?:\*\*)?[ \t]{0,8}:|答案[ \t]{0,8}(?:是|为|：|:)/gi;
/** Characters at the end of a response that are searched for phrases and math spans. */
const ANSWER_TAIL = 20_000;

/** The text after the last "the answer is" or "Answer:": a math span, or the rest of the sentence. */
function findAnswerPhrase(text: string): Extracted | undefined {
  const base = Math.max(0, text.length - ANSWER_TAIL);
  const tail = text.slice(base);
  let last: RegExpExecArray | undefined;
  for (const m of tail.matchAll(ANSWER)) last = m;
  if (!last) return undefined;
  const start = base + last.index + last[0].length;
  return readAfterPhrase(text, start);
}

function readAfterPhrase(text: string, from: number): Extracted | undefined {
  const start =
    from +
    (/^[\s*:]*(?:that\s+|therefore\s+|simply\s+|approximately\s+|option\s+)?/.exec(
      text.slice(from, from + 60),
    )?.[0].length ?? 0);
  const rest = text.slice(start, start + 2_500);
  const span =
    /^(?:\$\$([^$]+)\$\$|\$([^$]+)\$|\\\(([\s\S]+?)\\\)|\\\[([\s\S]+?)\\\])((?:\s*(?:,|and|or|,\s*and)\s*\$[^$]+\$)*)([^\n]*)/.exec(
      rest,
    );
  if (span) return joinSpans(span, start);
  const end = /\n|\.(?:\s|$)|\*\*|(?<=\S)\s+(?:because|since|which|so|as)\s/.exec(rest);
  return cutOut(text, start, start + (end ? end.index : rest.length), 'answer-is');
}

/** Joins a math span with the spans that continue its list. */
function joinSpans(span: RegExpExecArray, start: number): Extracted | undefined {
  const inner = span[1] ?? span[2] ?? span[3] ?? span[4] ?? '';
  const more = span[5] ?? '';
  const text = `${inner}${more}`.trim();
  return text === '' ? undefined : { text, from: 'answer-is', start };
}

const PICKED =
  /\b(?:option|choice|answer)[ \t]+\(?([A-J])\)?[ \t]+is[ \t]+(?:the[ \t]+)?(?:correct|right|best)|\(([A-J])\)[ \t]+is[ \t]+(?:the[ \t]+)?(?:correct|right|best)/gi;

/** The letter of "Option B is correct". */
function findPickedLetter(text: string): Extracted | undefined {
  const base = Math.max(0, text.length - ANSWER_TAIL);
  let found: Extracted | undefined;
  for (const m of text.slice(base).matchAll(PICKED)) {
    found = { text: (m[1] ?? m[2])!.toUpperCase(), from: 'choice', start: base + m.index };
  }
  return found;
}

const ONLY_MATH = /^\s*(?:\$[^$]+\$\s*(?:(?:,|;|and|or|\.)\s*)?){2,12}$/;

/** A response that consists only of a list of math spans is itself the answer. */
function findOnlyMath(text: string): Extracted | undefined {
  return text.length <= 600 && ONLY_MATH.test(text)
    ? cutOut(text, 0, text.length, 'whole')
    : undefined;
}

const MATH_MARK = /\\\\|\$\$|\\\$|\$|\\[()[\]]/g;
const CLOSES: Readonly<Record<string, string>> = { $$: '$$', $: '$', '\\)': '\\(', '\\]': '\\[' };

/** The last closed `$...$`, `$$...$$`, `\(...\)` or `\[...\]`. One pass over the marks. */
function findLastMath(text: string): Extracted | undefined {
  const base = Math.max(0, text.length - ANSWER_TAIL);
  const tail = text.slice(base);
  let best: Extracted | undefined;
  let open: { mark: string; start: number } | undefined;
  for (const m of tail.matchAll(MATH_MARK)) {
    const end = m.index + m[0].length;
    if (m[0] === '\\$' || m[0] === '\\\\') continue;
    if (open && CLOSES[m[0]] === open.mark) {
      best = cutOut(text, base + open.start, base + m.index, 'last-math') ?? best;
      open = undefined;
    } else if (!open || !m[0].startsWith('$')) open = { mark: m[0], start: end };
  }
  return best;
}

const PROSE_WORD = /(?<![\\a-zA-Z{])[a-zA-Z]{3,}(?![a-zA-Z}(])/g;
const NUMBER = /[-−]?[$€£]?\s?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?\/\s?\d+)?\s?%?/g;

/** The last line, or its last number if it is a sentence. */
function findLastLine(text: string): Extracted | undefined {
  const trimmedEnd = text.trimEnd();
  const start = trimmedEnd.lastIndexOf('\n') + 1;
  const line = cutOut(text, start, trimmedEnd.length, 'last-line');
  if (!line) return undefined;
  const prose = line.text.match(PROSE_WORD)?.length ?? 0;
  if (prose < 4 && line.text.length <= 2_000) return line;
  let last: Extracted | undefined;
  for (const m of line.text.slice(-2_000).matchAll(NUMBER)) {
    last = {
      text: m[0].trim(),
      from: 'last-number',
      start: line.start + Math.max(0, line.text.length - 2_000) + m.index,
    };
  }
  return last ?? (line.text.length <= 2_000 ? line : undefined);
}

/** The letter after "answer is", else the last letter in brackets, else a single letter on the last line. */
function findChoice(text: string): Extracted | undefined {
  const tail = text.slice(-4_000);
  let last: RegExpExecArray | undefined;
  for (const m of tail.matchAll(
    /(?:answer|option|choice)\s*(?:is|:)?\s*(?:\*\*)?\s*\$?\(?([A-J])\)?(?![a-zA-Z])/gi,
  )) {
    last = m;
  }
  if (last) {
    return {
      text: last[1]!.toUpperCase(),
      from: 'choice',
      start: text.length - tail.length + last.index,
    };
  }
  for (const m of tail.matchAll(/\(([A-J])\)|(?:^|\n)\s*([A-J])[.)]?\s*$/g)) last = m;
  return (
    last && {
      text: (last[1] ?? last[2])!,
      from: 'choice',
      start: text.length - tail.length + last.index,
    }
  );
}

/** An empty box or group. It is not read as the empty set. */
const NOTHING = /^\s*(?:\\boxed|\\fbox)?\s*\{[\s{}]*\}\s*$/;

/** The part of a reference that is the answer: its box, the text after `####`, its only math span, or all of it. */
export function extractReference(reference: string): string {
  if (NOTHING.test(reference)) return '';
  const boxed = /\\(?:boxed|fbox)\b/.test(reference) ? findLastBox(reference) : undefined;
  if (boxed) return boxed.text;
  const hashed = findHashAnswer(reference);
  if (hashed) return hashed.text;
  const sentence = /^[\s\S]*?(?:the\s+(?:final\s+)?answer\s+is|^answer)\s*:?\s+/i.exec(
    reference.slice(0, 2_500),
  );
  if (sentence) return findAnswerPhrase(reference)?.text ?? reference.trim();
  const prose = reference.replace(/\\[a-zA-Z]+/g, ' ').match(PROSE_WORD)?.length ?? 0;
  return prose >= 6 ? (findLastMath(reference)?.text ?? reference.trim()) : reference.trim();
}
