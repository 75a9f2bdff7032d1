/** Checks the README: its programs run, its commands and links exist. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const README = readFileSync(`${ROOT}README.md`, 'utf8');
const programs = [...README.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1] ?? '');

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program unchanged, from the root of the repository. */
const run = (program: string) => node('--input-type=module-typescript', '--eval', program);

const cipo = (...args: string[]) => node(`${ROOT}packages/cli/bin/cipo.js`, ...args);

function node(...flags: string[]): Promise<Outcome> {
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
  const loop = programs.find((program) => program.includes('trainStep')) ?? '';
  expect(loop.split('\n').length).toBeLessThanOrEqual(22);
  const { code, out, err } = await run(loop);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^step 1: [\d.]+ of the attempts correct/);
  expect(out).toContain('\nstep 2: ');
});

test('the verifier alone judges as the README says', async () => {
  const alone = programs.find((program) => program.includes('createJudge')) ?? '';
  expect(await run(alone)).toEqual({ code: 0, out: 'wrong_answer 0\n', err: '' });
});

test('every command and flag that the README names exists', async () => {
  const named = [...README.matchAll(/npx cipo (\w+)([^\n#]*)/g)];
  const flags = Map.groupBy(named, (match) => match[1] ?? '');
  expect(flags.size).toBeGreaterThan(8);
  for (const [command, uses] of flags) {
    const { code, out } = await cipo(command, '--help');
    expect(code, command).toBe(0);
    for (const flag of uses.flatMap((match) => match[2]?.match(/--\w[\w-]*/g) ?? [])) {
      expect(out, `cipo ${command}`).toContain(flag);
    }
  }
});

test('every link of the README leads to a file of the repository', () => {
  const links = [...README.matchAll(/\]\((?!http)([^)#]+)/g)].map((match) => match[1] ?? '');
  expect(links.length).toBeGreaterThan(3);
  expect(links.filter((link) => !existsSync(ROOT + link))).toEqual([]);
});
