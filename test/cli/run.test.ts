/** A whole run from the command line: trained, stopped, gone on with, measured, and what goes wrong on the way. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cipo as call } from './process.ts';

let folder: string;
const cipo = (...args: string[]) => call({ args, cwd: folder });
const set = (...settings: string[]) => settings.flatMap((setting) => ['--set', setting]);

/** Small enough for seconds: nothing here is about what is learned. */
const EASY = ['tasks.arithmeticLevel=1', 'tasks.functionsLevel=1'];
const SMALL = set(
  ...EASY,
  'rollout.prompts=4',
  'rollout.groupSize=4',
  'evaluation.tasks=4',
  'evaluation.samples=2',
);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cipo-runs-'));
  const model = set(
    'model.hidden_size=32',
    'model.num_hidden_layers=1',
    'model.num_attention_heads=2',
  );
  const { code, err } = await cipo(
    ...['pretrain', '--out', 'policy', '--steps', '30'],
    ...set(...EASY, 'batch=32', 'evaluationTasks=4', 'evaluateEvery=30', 'ownEvery=100'),
    ...model,
  );
  expect({ code, err }).toMatchObject({ code: 0 });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lines(file: string): unknown[] {
  return readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('cipo train', () => {
  test('a run stopped by Ctrl-C is saved, says how to go on, and goes on to its end', async () => {
    const args = ['train', '--model', 'policy', '--steps', '900', '--out', 'runs/one', ...SMALL];
    const stopped = await call({
      args,
      cwd: folder,
      signalAt: { text: '/900', signal: 'SIGINT' },
    });
    expect(stopped).toMatchObject({ code: 130, err: '' });
    expect(stopped.out).toContain('Stopping after this step and saving.');
    expect(stopped.out).toContain('npx cipo train --resume runs/one');
    expect(existsSync(join(folder, 'runs/one/report.html'))).toBe(true);
    const done = lines('runs/one/metrics.jsonl').length;

    const steps = String(done + 2);
    const resumed = await cipo('train', '--resume', 'runs/one', '--steps', steps);
    expect(resumed).toMatchObject({ code: 0, err: '' });
    expect(resumed.out).toContain(`resumed at step ${done}`);
    expect(resumed.out).toMatch(/pass@1 .*\[/);
    const all = Array.from({ length: done + 2 }, (_, index) => ({ step: index + 1 }));
    expect(lines('runs/one/metrics.jsonl')).toMatchObject(all);
  });

  test('its folder holds all that was promised, and latest points at it', () => {
    for (const name of [
      'config.json',
      'samples.jsonl',
      'summary.json',
      'report.html',
      'checkpoints',
    ])
      expect(existsSync(join(folder, 'runs/one', name)), name).toBe(true);
    expect(readlinkSync(join(folder, 'runs/latest'))).toBe('one');
    const summary: unknown = JSON.parse(
      readFileSync(join(folder, 'runs/one/summary.json'), 'utf8'),
    );
    const quality = { passAt1: expect.any(Number), passAtK: expect.any(Number) };
    expect(summary).toMatchObject({
      ...{ preset: 'cipo', seed: 1, interrupted: false, steps: expect.any(Number) },
      ...{ generatedTokens: expect.any(Number), wallSeconds: expect.any(Number) },
      ...{ before: quality, after: quality },
    });
  });

  test('every metric that it writes is explained in docs/reference/metrics.md', () => {
    const documented = readFileSync(
      new URL('../../docs/reference/metrics.md', import.meta.url),
      'utf8',
    );
    const names = new Set(
      lines('runs/one/metrics.jsonl').flatMap((row) => Object.keys(Object(row))),
    );
    const unknown = [...names].filter(
      (name) =>
        name !== 'step' &&
        !documented.includes(`\`${name.replace(/^reward\/.*/, 'reward/<kind>')}\``),
    );
    expect(names.size).toBeGreaterThan(20);
    expect(unknown).toEqual([]);
  });

  test('a second run into the same folder is refused', async () => {
    const { code, err } = await cipo('train', '--out', 'runs/one');
    expect(code).toBe(2);
    expect(err).toContain('already holds a run');
  });
});

test('cipo eval measures a run by its best policy and prints JSON alone on standard output', async () => {
  const { code, out } = await cipo(
    'eval',
    'runs/latest',
    '--json',
    '--tasks',
    '2',
    '--samples',
    '2',
  );
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    passAt1: { n: expect.any(Number) },
    perKind: expect.anything(),
  });
});

test('cipo report makes the report again', async () => {
  rmSync(join(folder, 'runs/one/report.html'));
  expect(await cipo('report')).toMatchObject({ code: 0, out: 'runs/latest/report.html\n' });
  expect(existsSync(join(folder, 'runs/one/report.html'))).toBe(true);
});

describe('what goes wrong is one clear message', () => {
  const failed = async (...args: string[]) => {
    const { code, err } = await cipo('train', ...args);
    expect(code).not.toBe(0);
    expect(err).toMatch(/^error /m);
    expect(err).not.toMatch(/\n\s+at /); // a stack
    return err;
  };

  test('a policy that is not there', async () => {
    expect(await failed('--model', 'nowhere', ...SMALL)).toContain('nowhere');
  });

  test('a full disk', async () => {
    const full = join(folder, 'full');
    mkdirSync(full);
    symlinkSync('/dev/full', join(full, 'metrics.jsonl')); // every write there fails as on a full disk
    const err = await failed('--model', 'policy', '--steps', '2', '--out', 'full', ...SMALL);
    expect(err).toContain('The disk is full');
  });

  test('rows of which none can be read', async () => {
    writeFileSync(join(folder, 'rows.jsonl'), '{"prompt": "1+1", "answr": "2"}\nnot json\n');
    const err = await failed(
      '--model',
      'policy',
      ...set('tasks.train=rows.jsonl', 'tasks.heldOut=rows.jsonl'),
    );
    expect(err).toContain('rows.jsonl');
    expect(err).toContain('is missing and cannot be inferred; the columns are prompt, answr');
  });
});
