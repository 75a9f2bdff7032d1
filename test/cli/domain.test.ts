/** Domains in a folder outside the repository, without node_modules: created, tested, used, and refused with a reason. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { cipo } from './process.ts';

vi.setConfig({ testTimeout: 120_000 }); // several processes on a busy machine

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'cipo-domain-')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function statuses(out: string): unknown[] {
  const lines = out.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line).status);
}

/** A folder with these files; its path. */
function write(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

test('a created domain passes its contract test with node --test, and cipo verify judges its rows', async () => {
  const created = await cipo({ args: ['domain', 'init', 'chess'], cwd: folder });
  expect(created).toMatchObject({ code: 0, err: '' });
  expect(created.out).toContain('  npx cipo verify --domain ./chess.ts rows.jsonl');
  const cwd = join(folder, 'chess');
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const tested = await promisify(execFile)(process.execPath, ['--test'], { cwd, env });
  expect(tested.stdout).toMatch(/pass 13\n.*fail 0\n/);
  rmSync(join(cwd, 'node_modules'), { recursive: true }); // the command needs no link
  const args = ['verify', '--quiet', '--domain', './chess.ts', 'rows.jsonl'];
  const { code, out, err } = await cipo({ args, cwd });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(statuses(out)).toEqual(['accepted', 'unreadable_answer', 'wrong_answer']);
  const linked = await cipo({ args: ['domain', 'link'], cwd });
  expect(linked.out).toBe('@cipo/verifier is linked into node_modules\n');
});

test('creating a domain overwrites no file and refuses a name that is not allowed', async () => {
  const cwd = write('taken', { 'rows.jsonl': 'mine' });
  const again = await cipo({ args: ['domain', 'init', 'go', '--dir', '.'], cwd });
  expect(again).toMatchObject({ code: 2, out: '' });
  expect(again.err).toContain('already has rows.jsonl');
  const named = await cipo({ args: ['domain', 'init', 'Go'], cwd });
  expect(named).toMatchObject({ code: 2, out: '' });
  expect(named.err).toContain('name: expected a-z');
});

test('a plug-in and its child process import the running packages without node_modules', async () => {
  const cwd = write('cells', {
    'package.json': '{"type": "module"}',
    'pattern.ts': `
      import { JudgingCells, sibling } from '@cipo/verifier/cells';
      import { judged } from '@cipo/verifier/types';
      import { rewardOf } from '@cipo/reward';
      const cells = new JudgingCells({ entry: sibling(import.meta.url, './cell'), threads: 1 });
      const limits = { cpuMs: 5000, wallMs: 60000, rssMb: 512 };
      export default {
        name: 'pattern',
        parse: () => ({ id: typeof rewardOf, domain: 'pattern', prompt: [], reference: 1 }),
        verify: (task, attempt, signal) => cells.run({ payload: attempt.text, limits, work: 'the pattern' },
          (matches) => judged(matches === true ? 'accepted' : 'wrong_answer'), signal),
        close: () => cells.close(),
      };`,
    'cell.ts': `
      import { serveCell } from '@cipo/verifier/cells/serve';
      serveCell((pattern) => new RegExp(String(pattern)).test('aaa'));`,
    'rows.jsonl': '{"response": "^a+$"}\n{"response": "^b"}\n',
  });
  const args = ['verify', '--quiet', '--domain', './pattern.ts', 'rows.jsonl'];
  const { code, out, err } = await cipo({ args, cwd });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(statuses(out)).toEqual(['accepted', 'wrong_answer']);
});

test.each([
  {
    failure: 'a package that is not installed',
    text: `import 'no-such-package';`,
    message: /plug-in \S+: cannot find package 'no-such-package' imported from \S+\/plugin\.mjs/,
  },
  {
    failure: 'a file that does not exist',
    text: `import './missing.mjs';`,
    message: /plug-in \S+: cannot find module '\S+\/missing\.mjs' imported from \S+\/plugin\.mjs/,
  },
  {
    failure: 'a subpath that a running package does not export',
    text: `import '@cipo/verifier/missing';`,
    message: /plug-in \S+: cannot be loaded: Package subpath '\.\/missing' is not defined/,
  },
])('the error of a plug-in that imports $failure names the import', async ({ text, message }) => {
  const cwd = write('broken', { 'plugin.mjs': text, 'rows.jsonl': '{}\n' });
  const args = ['verify', '--quiet', '--domain', './plugin.mjs', 'rows.jsonl'];
  const { code, err } = await cipo({ args, cwd });
  expect(code).toBe(2);
  expect(err).toMatch(message);
});

test('the error of a plug-in file that does not exist says that the module was not found', async () => {
  const cwd = write('none', { 'rows.jsonl': '{}\n' });
  const args = ['verify', '--quiet', '--domain', './none.ts', 'rows.jsonl'];
  const { code, err } = await cipo({ args, cwd });
  expect(code).toBe(2);
  expect(err).toMatch(/module \S+\/none\.ts not found/);
});
