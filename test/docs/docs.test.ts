/**
 * What the pages promise: every `ts`, `js` and `sh` program of docs/ and of the examples' pages runs, or says above
 * itself why it does not (snippets.ts has the marks); every link leads somewhere. The README has its own test.
 * One page alone: `npx vitest run test/docs -t docs/design/math.md`.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Page, ROOT } from './run.ts';
import { printsLike, snippetsOf } from './snippets.ts';

const PAGES = ['docs/**/*.md', 'examples/**/*.md', 'integrations/**/*.md']
  .flatMap((glob) =>
    globSync(glob, { cwd: ROOT, exclude: (path) => path.includes('node_modules') }),
  )
  .sort();

/** A page's program may start sandboxes on a machine that is busy with other tests. */
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
