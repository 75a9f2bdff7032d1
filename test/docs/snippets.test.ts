/** Tests how snippets are found and run, and that a page with a broken snippet fails. */
import { connect } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { Page } from './run.ts';
import { type Program, printsLike, snippetsOf } from './snippets.ts';

const fence = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\`\n`;
const one = (markdown: string) => snippetsOf('page.md', markdown)[0] as Program;

describe('a snippet', () => {
  test('a snippet is found by its language, with its line and the marks above it', () => {
    const page = [
      'Text.\n',
      fence('ts', 'a'),
      fence('', 'picture'),
      `<!-- not run: needs two machines -->\n${fence('sh', 'b')}`,
      `<!-- exit: 3 -->\n\n${fence('bash', 'exit 3')}`,
      `<!-- prints -->\n${fence('text', 'three')}`,
      `<!-- file: rows.jsonl -->\n${fence('json', '{}')}`,
    ].join('\n');
    expect(snippetsOf('page.md', page)).toMatchObject([
      { kind: 'program', language: 'ts', line: 3, exit: 0, text: 'a\n' },
      { language: 'sh', skipped: 'needs two machines' },
      { language: 'sh', exit: 3, prints: 'three\n' },
      { kind: 'file', name: 'rows.jsonl', text: '{}\n' },
    ]);
  });

  test('a snippet in a list loses the indent of its fence, and a longer fence may contain a shorter one', () => {
    expect(one('1. Do:\n   ```sh\n   echo a\n     echo b\n   ```\n').text).toBe(
      'echo a\n  echo b\n',
    );
    expect(one(`\`\`\`\`ts\n${fence('js', 'b')}\`\`\`\`\n`).text).toBe(fence('js', 'b'));
  });

  test('a mark without a usable value is refused', () => {
    expect(() => one(`<!-- not run -->\n${fence('ts', 'a')}`)).toThrow(/page.md:2: .*reason/);
    expect(() => one(`<!-- exit: soon -->\n${fence('ts', 'a')}`)).toThrow(/code/);
    expect(() => one(`<!-- prints -->\n${fence('', 'a')}`)).toThrow(/needs a snippet above/);
    expect(() => one(`<!-- file: ../../a -->\n${fence('', 'a')}`)).toThrow(/plain file name/);
  });

  test('expected output may have gaps for lines and for the rest of a line', () => {
    expect(printsLike('a\n...\nd', 'a\nb\nc\nd\n')).toBe(true);
    expect(printsLike('took … ms (in all)', 'took 12.5 ms (in all)')).toBe(true);
    expect(printsLike('a\nb', 'a\nc\nb')).toBe(false);
    expect(printsLike('a', 'a\nb')).toBe(false);
  });
});

describe('a page that runs', () => {
  const page = new Page([
    { kind: 'file', name: 'n.ts', text: 'export const n: number = 7;', line: 1 },
  ]);
  afterAll(() => page.close());
  const run = (language: Program['language'], text: string, line: number) =>
    page.run({ kind: 'program', language, text, line, exit: 0 });

  test('a snippet finds the packages and the files of its page, and its outcome is returned', async () => {
    const program = "import { n } from './n.ts'; import { judged } from '@cipo/verifier/types';";
    expect(await run('ts', `${program}\nconsole.log(n, judged('accepted').passed)`, 2)).toEqual({
      code: 0,
      out: '7 true\n',
      err: '',
    });
    expect(await run('sh', 'false\necho still here', 3)).toMatchObject({ code: 1, out: '' });
    expect((await run('ts', 'throw new Error("no")', 4)).code).toBe(1);
  });

  test('a process that a snippet leaves running ends when the page closes', async () => {
    const server = `const s = require('net').createServer().listen(0, () => console.log(s.address().port))`;
    const { out } = await run(
      'sh',
      `node -e "${server}" > port &\nuntil [ -s port ]; do sleep 0.05; done\ncat port`,
      5,
    );
    expect(await connects(Number(out))).toBe(true);
    await page.close();
    await expect.poll(() => connects(Number(out))).toBe(false);
  });
});

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
