/** What the README promises: its programs run, its links lead somewhere. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const README = readFileSync(`${ROOT}README.md`, 'utf8');
const programs = [...README.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1] ?? '');

/** Runs a program as it stands, from the root of the repository. */
function run(program: string): Promise<{ code: number | null; out: string; err: string }> {
  const flags = ['--input-type=module-typescript', '--eval', program];
  const child = spawn(process.execPath, flags, { cwd: ROOT });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise((done) => {
    child.on('close', (code) => done({ code, out, err }));
  });
}

test('the loop of the README trains, in about twenty lines', async () => {
  const [loop = ''] = programs;
  expect(loop.split('\n').length).toBeLessThanOrEqual(22);
  const { code, out, err } = await run(loop);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^step 1: [\d.]+ of the attempts right/);
  expect(out).toContain('\nstep 2: ');
});

test('the verifier alone judges as the README says', async () => {
  expect(await run(programs[1] ?? '')).toEqual({ code: 0, out: 'true\n', err: '' });
});

test('every link of the README leads to a file of the repository', () => {
  const links = [...README.matchAll(/\]\((?!http)([^)#]+)/g)].map((match) => match[1] ?? '');
  expect(links.length).toBeGreaterThan(3);
  expect(links.filter((link) => !existsSync(ROOT + link))).toEqual([]);
});
