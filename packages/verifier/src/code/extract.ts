/**
 * Reads the program out of a response and joins it with what the task puts around it, remembering
 * where each line came from. Knows the three languages' names and shapes, runs nothing.
 */
import type { Language } from './job.ts';
import type { CodeReference } from './reference.ts';

/** A program, and how its lines map to the submitted text. Lines are 1-based. */
export interface Program {
  readonly source: string;
  /** Line of the program on which the answer starts. */
  readonly answerStart: number;
  /** How many lines the answer has. */
  readonly answerLines: number;
  /** Line of the submitted text on which the answer starts. */
  readonly submittedStart: number;
}

/** A piece of the submitted text. */
interface Excerpt {
  readonly text: string;
  readonly line: number;
}

const FENCE_NAMES: Record<Language, readonly string[]> = {
  javascript: ['javascript', 'js', 'node', 'nodejs', 'mjs', 'cjs', 'jsx'],
  typescript: ['typescript', 'ts', 'mts', 'tsx'],
  python: ['python', 'py', 'python3', 'py3'],
};

/** The code of a response: the last fenced block of the language, else the whole text. */
export function readCode(response: string, language: Language): Excerpt {
  const visible = afterThinking(response);
  const blocks = fencedBlocks(visible.text);
  const own = blocks.filter(({ label }) => FENCE_NAMES[language].includes(label));
  const block = own.at(-1) ?? blocks.filter(({ label }) => label === '').at(-1);
  return block ? { text: block.text, line: visible.line + block.line - 1 } : visible;
}

/** What stands after the last `</think>`. */
function afterThinking(response: string): Excerpt {
  const mark = response.lastIndexOf('</think>');
  if (mark < 0) return { text: response, line: 1 };
  const start = mark + '</think>'.length;
  return { text: response.slice(start), line: lineCount(response.slice(0, start)) };
}

function fencedBlocks(text: string): (Excerpt & { label: string })[] {
  const blocks: (Excerpt & { label: string })[] = [];
  const lines = text.split('\n');
  let open: { fence: string; label: string; first: number } | undefined;
  lines.forEach((line, i) => {
    const fence = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined) return;
    const rest = line.slice(line.indexOf(fence) + fence.length);
    if (rest.includes('`')) return;
    const label = /^[ \t]*([\w+#.-]*)/.exec(rest)?.[1] ?? '';
    if (!open) {
      open = { fence, label: label.toLowerCase(), first: i + 1 };
    } else if (fence.startsWith(open.fence) && label === '') {
      blocks.push(blockOf(lines, open, i));
      open = undefined;
    }
  });
  if (open) blocks.push(blockOf(lines, open, lines.length)); // cut off at the length limit
  return blocks;
}

function blockOf(lines: readonly string[], open: { label: string; first: number }, end: number) {
  const text = lines.slice(open.first, end).join('\n');
  return { text, line: open.first + 1, label: open.label };
}

/** The whole program of a response, or undefined when there is nothing in it. */
export function assemble(response: string, reference: CodeReference): Program | undefined {
  const answer = reference.verbatim
    ? { text: response, line: 1 }
    : readCode(response, reference.language);
  if (answer.text.trim() === '') return undefined;
  const { before, after } = reference.setup;
  const head = `${before === '' ? '' : `${before}\n`}${leadIn(answer.text, reference)}`;
  return {
    source: `${head}${answer.text}${after === '' ? '' : `\n${after}`}`,
    answerStart: lineCount(head),
    answerLines: lineCount(answer.text),
    submittedStart: answer.line,
  };
}

/**
 * What stands before the answer: nothing when it is whole, else the prefix that it continues. An
 * answer is whole when it declares what the prefix declares last, or repeats the prefix. Python keeps
 * the prefix before a whole answer too, for its imports and helpers.
 */
function leadIn(answer: string, { prefix, language, tests }: CodeReference): string {
  const wanted = lastDeclared(prefix, language);
  if (prefix === '' || wanted === undefined || answer.startsWith(prefix)) return '';
  const entry = tests.type === 'call' ? tests.entry.split('.')[0]! : wanted;
  const whole = declares(answer, wanted, language) || declares(answer, entry, language);
  if (!whole) return prefix;
  return language === 'python' ? `${prefix}${prefix.endsWith('\n') ? '' : '\n'}` : '';
}

const PYTHON_NAME = /^(?:async[ \t]+)?(?:def|class)[ \t]+([\p{L}_][\p{L}\p{N}_]*)/gmu;
const SCRIPT_NAME =
  /^(?:export[ \t]+(?:default[ \t]+)?)?(?:(?:async[ \t]+)?function(?:[ \t]+|[ \t]*\*[ \t]*)|(?:const|let|var|class)[ \t]+)([\p{L}_$][\p{L}\p{N}_$]*)/gmu;

function declaredNames(code: string, language: Language): string[] {
  const pattern = language === 'python' ? PYTHON_NAME : SCRIPT_NAME;
  return [...code.matchAll(pattern)].map((match) => match[1]!);
}

function lastDeclared(code: string, language: Language): string | undefined {
  return declaredNames(code, language).at(-1);
}

function declares(code: string, name: string, language: Language): boolean {
  return declaredNames(code, language).includes(name);
}

export function lineCount(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/** A place in the program as a place in the submitted text; undefined outside the answer. */
export function submittedPlace(
  program: Program,
  place: { readonly line?: number | undefined; readonly column?: number | undefined },
): { line: number; column: number } | undefined {
  if (place.line === undefined) return undefined;
  const within = place.line - program.answerStart;
  if (within < 0 || within >= program.answerLines) return undefined;
  return { line: program.submittedStart + within, column: place.column ?? 1 };
}
