/**
 * Checks the pages in docs/, examples/ and integrations/: every `ts`, `js` and `sh` snippet runs, or says above itself why
 * not (snippets.ts explains the marks); every link and every path of a source file exists. The README has its own test.
 * One page alone: `npx vitest run test/docs -t docs/design/math.md`.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Page, ROOT } from './run.ts';
import { printsLike, snippetsOf } from './snippets.ts';

const PAGES = ['docs/**/*.md', 'examples/**/*.md', 'integrations/**/*.md', 'packages/*/README.md']
  .flatMap((glob) =>
    globSync(glob, {
      cwd: ROOT,
      exclude: (path) => path.includes('node_modules') || path.includes('reference/api'),
    }),
  )
  .sort();

/** A path in backticks, such as `packages/engine/src/ops.ts`. Paths with placeholders or globs are not matched. */
const REPOSITORY_PATH =
  /`((?:packages|test|docs|benchmarks|datasets|examples|integrations)\/[\w./-]+)`/g;

/** A page that a source file names. Leaves out pages that a command writes (`--out`), and those of other projects. */
const DOCS_PATH = /(?<!--out |[\w-]\/)docs\/[\w/-]+\.md/g;

/** A snippet may start sandboxes on a machine that is busy with other tests. */
const PATIENCE_MS = 300_000;

for (const name of PAGES) {
  describe(name, () => {
    const markdown = readFileSync(join(ROOT, name), 'utf8');
    const snippets = snippetsOf(name, markdown);
    const files = snippets.filter((s) => s.kind === 'file');
    const programs = snippets.filter((s) => s.kind === 'program');

    test('every link leads to a file of the repository', () => {
      const links = [...markdown.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((m) => m[1] ?? '');
      expect(links.filter((link) => !existsSync(join(ROOT, dirname(name), link)))).toEqual([]);
    });

    test('every path of the repository that the text names exists', () => {
      const paths = [...markdown.matchAll(REPOSITORY_PATH)].map((m) => m[1] ?? '');
      expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    });

    for (const { name: file, line } of files) {
      test(`line ${line}, ${file} is used by a program of the page`, () => {
        const others = snippets.filter((s) => s.line !== line).map((s) => s.text);
        expect(others.join('\n')).toContain(file.replace(/\.[cm]?[jt]s$/, ''));
      });
    }

    let page: Page;
    beforeAll(async () => {
      page = await Page.open(files, programs);
    });
    afterAll(() => page.close());

    for (const program of programs) {
      const { language, line, skipped, exit, prints } = program;
      const title = `line ${line}, ${language}`;
      test.skipIf(skipped)(
        skipped ? `${title} (not run: ${skipped})` : `${title} runs`,
        { timeout: PATIENCE_MS },
        async () => {
          const { code, out, err } = await page.run(program);
          expect(code, `${out}\n${err}`).toBe(exit);
          if (prints !== undefined && !printsLike(prints, out)) expect(out).toBe(prints);
        },
      );
    }
  });
}

test('every page that a source file names exists', () => {
  const sources = [
    'packages/*/{src,guest,scripts,assets}/**',
    'benchmarks/**',
    'integrations/**',
    'test/**',
  ]
    .flatMap((glob) => globSync(`${glob}/*.{ts,js,py,sh}`, { cwd: ROOT }))
    .filter((path) => !path.includes('node_modules'));
  const missing = sources.flatMap((path) =>
    [...readFileSync(join(ROOT, path), 'utf8').matchAll(DOCS_PATH)]
      .map((match) => match[0])
      .filter((page) => !existsSync(join(ROOT, page)))
      .map((page) => `${path}: ${page}`),
  );
  expect(missing).toEqual([]);
});
