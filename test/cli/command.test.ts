/** Help, wrong usage and the doctor in real processes: exit codes, and what is printed on which stream. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cipo as call } from './process.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cipo-command-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command in a temporary folder. */
const cipo = (args: readonly string[], node?: string) =>
  call({ args, cwd: folder, ...(node !== undefined && { node }) });

describe('help', () => {
  test('the overview names every command and the first steps', async () => {
    const { code, out } = await cipo(['--help']);
    expect(code).toBe(0);
    for (const name of ['train', 'eval', 'pretrain', 'compare', 'report', 'serve', 'doctor'])
      expect(out).toContain(name);
    expect(out).toContain('Start here');
  });

  test('compare refuses --seed and suggests --seeds', async () => {
    const { code, err } = await cipo(['compare', '--seed', '3']);
    expect(code).toBe(2);
    expect(err).toContain('Did you mean --seeds?');
  });

  test('cipo version prints the version of the package', async () => {
    const file = new URL('../../packages/cli/package.json', import.meta.url);
    const { version } = JSON.parse(readFileSync(file, 'utf8'));
    for (const args of [['version'], ['--version']])
      expect(await cipo(args)).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  test('a misspelled command or option gets a suggestion and exit code 2', async () => {
    const command = await cipo(['trian']);
    expect(command).toMatchObject({ code: 2, out: '' });
    expect(command.err).toContain('Did you mean train?');
    const option = await cipo(['train', '--step', '3']);
    expect(option.code).toBe(2);
    expect(option.err).toContain('Did you mean --steps?');
  });
});

describe('bad input', () => {
  /** Standard error of a call that must be rejected as wrong usage. */
  async function refused(args: readonly string[]): Promise<string> {
    const { code, out, err } = await cipo(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).not.toMatch(/\n\s+at /); // a stack
    return err;
  }

  test('the error for an unknown key in a file names its line and a similar key', async () => {
    writeFileSync(join(folder, 'run.yaml'), 'steps: 3\nrollout:\n  promts: 4\n');
    const err = await refused(['train', 'run.yaml']);
    expect(err).toContain(
      'run.yaml:3:3: there is no key rollout.promts. Did you mean rollout.prompts?',
    );
  });

  test('the error for an invalid flag names it, what is expected and what was received', async () => {
    expect(await refused(['train', '--steps', 'many'])).toContain(
      '--steps: expected a whole number of at least 1, got "many"',
    );
    expect(await refused(['train', '--preset', 'gpro'])).toContain('Did you mean grpo?');
    expect(await refused(['train', '--engine', 'gpu'])).toContain(
      'expected one of onnx, onnx:cpu, onnx:webgpu, tfjs, tfjs:tensorflow',
    );
  });

  test('the error for a missing file, run or model names it', async () => {
    expect(await refused(['train', 'missing.yaml'])).toContain(
      'no configuration file missing.yaml',
    );
    expect(await refused(['train', '--resume', 'runs/none'])).toContain('runs/none does not exist');
    expect(await refused(['eval', 'no-model'])).toContain('There is no model at no-model');
    expect(await refused(['train', '--model', 'no-model'])).toContain('no model at no-model');
    expect(await refused(['report', 'no-run'])).toContain('no-run is not a run');
  });

  test('the error for a hub model that was not downloaded says how to download it', async () => {
    const id = 'Qwen/Qwen2.5-0.5B-Instruct';
    for (const command of [
      ['train', '--model', id],
      ['eval', id],
    ]) {
      const err = await refused(command);
      expect(err).toContain(`There is no model at ${id}.`);
      expect(err).toContain(`run cipo pull ${id}, then name models/${id}`);
    }
    mkdirSync(join(folder, 'models', id), { recursive: true });
    expect(await refused(['eval', id])).toContain(`Its download is in models/${id}`);
    expect(await refused(['pull', 'foo'])).toContain('Expected a model as owner/name, got "foo"');
  });

  test('the message of a plug-in is cut to a screen, without control characters', async () => {
    const text = `'\\u001b[2J' + 'a'.repeat(300_000)`;
    writeFileSync(join(folder, 'loud.mjs'), `throw new Error(${text});\n`);
    const err = await refused(['verify', '--domain', './loud.mjs', 'rows.jsonl']);
    expect(err.length).toBeLessThan(2_000);
    expect(err).not.toContain('\u001b');
  });

  test('--resume rejects flags that would make it another run', async () => {
    const err = await refused(['train', '--resume', 'x', '--seed', '2']);
    expect(err).toContain('cannot be combined with --seed');
  });

  test('--debug prints the stack of an error', async () => {
    const { err } = await cipo(['train', 'missing.yaml', '--debug']);
    expect(err).toMatch(/\n\s+at /);
  });
});

describe('doctor', () => {
  test('the doctor finds a working machine and judges known responses, with nothing on standard error', async () => {
    const { code, out, err } = await cipo(['doctor', '--json']);
    expect(err).toBe('');
    const findings: unknown = JSON.parse(out);
    expect(findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'node', ok: true }),
        expect.objectContaining({ area: 'executors', needed: true, ok: true }),
        expect.objectContaining({ name: 'tfjs:wasm', ok: true }),
        expect.objectContaining({ name: 'math', ok: true }),
        expect.objectContaining({
          name: 'code',
          ok: true,
          detail: expect.stringContaining('endless: time_limit'),
        }),
      ]),
    );
    expect(code).toBe(0);
  });
});

/** A Node older than 24 on this machine, if there is one. */
const older = (process.env.PATH ?? '')
  .split(':')
  .concat('/usr/local/bin', '/usr/bin')
  .map((path) => join(path, 'node'))
  .filter((path) => existsSync(path))
  .find((path) => {
    const version = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout;
    const major = Number(version.split('.')[0]);
    return major >= 20 && major < 24;
  });

test.skipIf(!older)(
  'an older Node starts the Node 24 of the workspace and returns its exit code',
  async () => {
    const { code, err } = await cipo(['trian'], older);
    expect(code).toBe(2);
    expect(err).toContain('Did you mean train?');
  },
);
