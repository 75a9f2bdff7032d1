/** The command as a person meets it: real processes, real exit codes, what is said on which stream. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cipo as call } from './process.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cipo-command-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In a scratch folder. */
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

  test('every command explains itself with examples', async () => {
    for (const name of ['train', 'eval', 'pretrain', 'compare', 'report', 'serve']) {
      const { code, out } = await cipo([name, '--help']);
      expect(code, name).toBe(0);
      expect(out, name).toContain('Examples:');
    }
  });

  test('a misspelled command or option is answered with the right one and exit code 2', async () => {
    const command = await cipo(['trian']);
    expect(command).toMatchObject({ code: 2, out: '' });
    expect(command.err).toContain('Did you mean train?');
    const option = await cipo(['train', '--step', '3']);
    expect(option.code).toBe(2);
    expect(option.err).toContain('Did you mean --steps?');
  });
});

describe('bad input', () => {
  /** The whole of standard error of a call that must be refused as wrong usage. */
  async function refused(args: readonly string[]): Promise<string> {
    const { code, out, err } = await cipo(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).not.toMatch(/\n\s+at /); // a stack
    return err;
  }

  test('an unknown key in a file is shown with its line and what was meant', async () => {
    writeFileSync(join(folder, 'run.yaml'), 'steps: 3\nrollout:\n  promts: 4\n');
    const err = await refused(['train', 'run.yaml']);
    expect(err).toContain(
      'run.yaml:3:3: there is no key rollout.promts. Did you mean rollout.prompts?',
    );
  });

  test('a wrong flag names itself, what it got and what is allowed', async () => {
    expect(await refused(['train', '--steps', 'many'])).toContain(
      '--steps: steps: received "many", allowed is a whole number of at least 1',
    );
    expect(await refused(['train', '--preset', 'gpro'])).toContain('Did you mean grpo?');
    expect(await refused(['train', '--engine', 'gpu'])).toContain(
      'allowed is one of onnx, onnx:cpu, onnx:webgpu, tfjs, tfjs:tensorflow',
    );
  });

  test('a file, run or policy that is not there is named', async () => {
    expect(await refused(['train', 'missing.yaml'])).toContain(
      'no configuration file missing.yaml',
    );
    expect(await refused(['train', '--resume', 'runs/none'])).toContain('runs/none does not exist');
    expect(await refused(['eval', 'no-model'])).toContain('no folder no-model');
    expect(await refused(['report', 'no-run'])).toContain('no-run is not a run folder');
  });

  test('--resume refuses what would make it another run', async () => {
    const err = await refused(['train', '--resume', 'x', '--seed', '2']);
    expect(err).toContain('cannot be combined with --seed');
  });

  test('--debug adds the stack', async () => {
    const { err } = await cipo(['train', 'missing.yaml', '--debug']);
    expect(err).toMatch(/\n\s+at /);
  });
});

describe('doctor', () => {
  test('finds the machine fit and has real answers judged', async () => {
    const { code, out } = await cipo(['doctor', '--json']);
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

/** A Node older than 24 on this machine, where there is one. */
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
  'an older Node hands over to the Node 24 of the workspace, exit code included',
  async () => {
    const { code, err } = await cipo(['trian'], older);
    expect(code).toBe(2);
    expect(err).toContain('Did you mean train?');
  },
);
