/**
 * Finds the snippets of a Markdown page. A comment directly above a fence is a mark:
 *
 *     <!-- not run: needs a GPU -->   the snippet is skipped; the test report shows the reason
 *     <!-- exit: 1 -->                the snippet must exit with this code (default: 0)
 *     <!-- file: rows.jsonl -->       any language: the text becomes a file beside the snippets of the page
 *     <!-- prints -->                 the expected output of the snippet above; a line `...` matches any lines
 *
 * Leaves out: running them (run.ts).
 */

type Language = 'ts' | 'js' | 'sh';

interface Place {
  /** Line of the fence, 1-based. */
  readonly line: number;
  readonly text: string;
}

export interface Program extends Place {
  readonly kind: 'program';
  readonly language: Language;
  readonly exit: number;
  /** Why it does not run. */
  readonly skipped?: string;
  /** Expected standard output. */
  readonly prints?: string;
}

export interface PageFile extends Place {
  readonly kind: 'file';
  readonly name: string;
}

const LANGUAGES: Readonly<Record<string, Language>> = {
  ts: 'ts',
  typescript: 'ts',
  js: 'js',
  javascript: 'js',
  sh: 'sh',
  bash: 'sh',
  shell: 'sh',
};
const MARKS = ['not run', 'exit', 'file', 'prints'];
const FENCE =
  /^(?<indent> *)(?<ticks>`{3,})(?<language>[\w-]*)[^\n`]*\n(?<text>.*?)^\k<indent>\k<ticks>\s*$/gms;
const MARK = /<!-- (?<name>[a-z ]+?)(?:: (?<value>[^\n]+?))? -->\s*$/;

/** Programs and files in the order of the page. @throws on a mark that does not fit its place. */
export function snippetsOf(page: string, markdown: string): (Program | PageFile)[] {
  const found: (Program | PageFile)[] = [];
  for (const fence of markdown.matchAll(FENCE)) {
    const { indent = '', language = '', text = '' } = fence.groups ?? {};
    const line = markdown.slice(0, fence.index).split('\n').length;
    const mark = markAbove(markdown.slice(0, fence.index));
    const place = { line, text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), '') };
    const fail = (problem: string) => new Error(`${page}:${line}: ${problem}`);
    if (mark?.name === 'prints') {
      const above = found.at(-1);
      if (above?.kind !== 'program' || above.skipped)
        throw fail('"prints" needs a snippet above it that runs');
      found[found.length - 1] = { ...above, prints: place.text };
    } else if (mark?.name === 'file') {
      if (!mark.value || !/^[\w.-]+$/.test(mark.value))
        throw fail(`"file": expected a plain file name, got ${mark.value ?? 'nothing'}`);
      found.push({ kind: 'file', name: mark.value, ...place });
    } else if (Object.hasOwn(LANGUAGES, language)) {
      found.push({
        kind: 'program',
        language: LANGUAGES[language]!,
        ...ends(mark, fail),
        ...place,
      });
    }
  }
  return found;
}

interface Mark {
  readonly name: string;
  readonly value: string | undefined;
}

function markAbove(before: string): Mark | undefined {
  const { name, value } = MARK.exec(before)?.groups ?? {};
  return name !== undefined && MARKS.includes(name) ? { name, value } : undefined;
}

function ends(
  mark: Mark | undefined,
  fail: (problem: string) => Error,
): Pick<Program, 'exit' | 'skipped'> {
  if (mark?.name === 'not run') {
    if (!mark.value) throw fail('"not run": expected a reason, got nothing');
    return { exit: 0, skipped: mark.value };
  }
  if (mark?.name !== 'exit') return { exit: 0 };
  const exit = Number(mark.value);
  if (!Number.isInteger(exit))
    throw fail(`"exit": expected an exit code, got ${mark.value ?? 'nothing'}`);
  return { exit };
}

/** Whether `printed` matches `wanted`. A line `...` in `wanted` matches any lines, `…` matches the rest of a line. */
export function printsLike(wanted: string, printed: string): boolean {
  const pattern = wanted
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '...' ? '(?:.*\n)*?' : `${lineLike(line)}[ \t]*\n`))
    .join('');
  return new RegExp(`^${pattern}$`).test(`${printed.trim()}\n`);
}

const lineLike = (line: string) =>
  line
    .trimEnd()
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
