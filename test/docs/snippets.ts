/**
 * The programs of a Markdown page, found by their fences. A comment right above a fence says what to do with it:
 *
 *     <!-- not run: needs a GPU -->   skipped, with this reason in the test's report
 *     <!-- exit: 1 -->                runs and has to end with this code (0 where nothing is said)
 *     <!-- file: rows.jsonl -->       any language: becomes a file beside the programs of its page
 *     <!-- prints -->                 what the program above must have printed; a line `...` stands for any lines
 *
 * Leaves out how they run: see run.ts.
 */

export type Language = 'ts' | 'js' | 'sh';

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

/** Programs and files in the order of the page. @throws on a mark that means nothing where it stands. */
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
        throw fail('nothing that runs stands above "prints"');
      found[found.length - 1] = { ...above, prints: place.text };
    } else if (mark?.name === 'file') {
      if (!mark.value || !/^[\w.-]+$/.test(mark.value))
        throw fail('"file" needs a plain file name');
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
    if (!mark.value) throw fail('"not run" needs a reason');
    return { exit: 0, skipped: mark.value };
  }
  if (mark?.name !== 'exit') return { exit: 0 };
  const exit = Number(mark.value);
  if (!Number.isInteger(exit)) throw fail('"exit" needs a code');
  return { exit };
}

/** Does `printed` look like `wanted`? A line `...` in `wanted` stands for any number of lines, `…` for the rest of one. */
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
