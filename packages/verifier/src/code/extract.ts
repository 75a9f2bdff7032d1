/**
 * Extracts the program from a response, joins it with the code that the task puts around it, and maps its lines back to
 * the response. Leaves out: running it.
 */
import type { Language } from './job.ts';
import type { CodeReference } from './reference.ts';

/** A whole program with the place of the submitted code in it. Line numbers start at 1. */
export interface Program {
  readonly source: string;
  /** Line of `source` on which the submitted code starts. */
  readonly codeStart: number;
  /** How many lines the submitted code has. */
  readonly codeLines: number;
  /** Line of the response on which the submitted code starts. */
  readonly submittedStart: number;
}

/** A part of the response, and the line on which it starts. */
interface Excerpt {
  readonly text: string;
  readonly line: number;
}

const FENCE_LABELS: Record<Language, readonly string[]> = {
  javascript: ['javascript', 'js', 'node', 'nodejs', 'mjs', 'cjs', 'jsx'],
  typescript: ['typescript', 'ts', 'mts', 'tsx'],
  python: ['python', 'py', 'python3', 'py3'],
};

/**
 * Finds the code of a response: the last fenced block of the language, else the last one without a name, else the whole
 * text.
 */
export function readCode(response: string, language: Language): Excerpt {
  const visible = afterThinking(response);
  const blocks = fencedBlocks(visible.text);
  const own = blocks.filter(({ label }) => FENCE_LABELS[language].includes(label));
  const block = own.at(-1) ?? blocks.filter(({ label }) => label === '').at(-1);
  return block ? { text: block.text, line: visible.line + block.line - 1 } : visible;
}

/** The part after the last `</think>`. */
function afterThinking(response: string): Excerpt {
  const mark = response.lastIndexOf('</think>');
  if (mark < 0) return { text: response, line: 1 };
  const start = mark + '</think>'.length;
  return { text: response.slice(start), line: countLines(response.slice(0, start)) };
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

/** Builds the whole program of a response. Returns undefined if the response has no code. */
export function assemble(response: string, reference: CodeReference): Program | undefined {
  const code = reference.verbatim
    ? { text: response, line: 1 }
    : readCode(response, reference.language);
  if (code.text.trim() === '') return undefined;
  const { before, after } = reference.setup;
  const head = `${before === '' ? '' : `${before}\n`}${prefixFor(code.text, reference)}`;
  return {
    source: `${head}${code.text}${after === '' ? '' : `\n${after}`}`,
    codeStart: countLines(head),
    codeLines: countLines(code.text),
    submittedStart: code.line,
  };
}

/**
 * The text before the submitted code: the task's prefix if the code continues it, else nothing. The code is complete by
 * itself if it declares what the prefix declares last, or repeats the prefix. In Python the prefix is kept before
 * complete code too, because of its imports and helpers.
 */
function prefixFor(code: string, { prefix, language, tests }: CodeReference): string {
  const wanted = lastDeclared(prefix, language);
  if (prefix === '' || wanted === undefined || code.startsWith(prefix)) return '';
  const entry = tests.type === 'call' ? (tests.entry.split('.')[0] ?? wanted) : wanted;
  const isComplete = declares(code, wanted, language) || declares(code, entry, language);
  if (!isComplete) return prefix;
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

/** Number of lines of a text. */
export function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/** Maps a place in the program to the response. Returns undefined for a place outside the submitted code. */
export function submittedPlace(
  program: Program,
  place: { readonly line?: number | undefined; readonly column?: number | undefined },
): { line: number; column: number } | undefined {
  if (place.line === undefined) return undefined;
  const within = place.line - program.codeStart;
  if (within < 0 || within >= program.codeLines) return undefined;
  return { line: program.submittedStart + within, column: place.column ?? 1 };
}
