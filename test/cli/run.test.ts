/** A whole run from the command line: trained, stopped, resumed, evaluated, reported; and the errors of runs that fail. */
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

/** Takes seconds: these tests do not depend on what is learned. */
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
  test('a run stopped by Ctrl-C is saved, prints how to continue, and continues to its end', async () => {
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

  test('the folder of a run has all documented files, and latest points to it', () => {
    for (const name of [
      'config.json',
      'environment.json',
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

  test('every metric that a run writes is explained in docs/reference/metrics.md', () => {
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

  test('a second run in the same folder is rejected', async () => {
    const { code, err } = await cipo('train', '--out', 'runs/one');
    expect(code).toBe(2);
    expect(err).toContain('already contains a run');
  });
});

test('cipo eval evaluates the best policy of a run and prints only JSON on standard output', async () => {
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

test('cipo report writes the report again, with machine, versions and command', async () => {
  rmSync(join(folder, 'runs/one/report.html'));
  expect(await cipo('report')).toMatchObject({ code: 0, out: 'runs/latest/report.html\n' });
  const html = readFileSync(join(folder, 'runs/one/report.html'), 'utf8');
  expect(html).toContain('<dt>command</dt><dd>cipo train --resume runs/one');
  expect(html).toContain(`Node ${process.version}`);
});

describe('a run that fails', () => {
  const failed = async (...args: string[]) => {
    const { code, err } = await cipo('train', ...args);
    expect(code).not.toBe(0);
    expect(err).toMatch(/^error: /m);
    expect(err).not.toMatch(/\n\s+at /); // a stack
    return err;
  };

  test('a model that does not load is one message, and no run folder is left', async () => {
    mkdirSync(join(folder, 'no-model'));
    const err = await failed('--model', 'no-model', '--out', 'runs/failed', ...SMALL);
    expect(err).toContain('no-model');
    expect(existsSync(join(folder, 'runs/failed'))).toBe(false);
  });

  test('a full disk is one message', async () => {
    const full = join(folder, 'full');
    mkdirSync(full);
    symlinkSync('/dev/full', join(full, 'metrics.jsonl')); // every write to it fails like on a full disk
    const err = await failed('--model', 'policy', '--steps', '2', '--out', 'full', ...SMALL);
    expect(err).toContain('The disk is full');
  });

  test('a folder that cannot record the environment is one message', async () => {
    mkdirSync(join(folder, 'blocked', 'environment.json'), { recursive: true });
    const err = await failed('--model', 'policy', '--steps', '2', '--out', 'blocked', ...SMALL);
    expect(err).toContain('environment.json');
  });

  test('a file without a readable row is one message with the reason', async () => {
    writeFileSync(join(folder, 'rows.jsonl'), '{"prompt": "1+1", "answr": "2"}\nnot json\n');
    const err = await failed(
      '--model',
      'policy',
      ...set('tasks.train=rows.jsonl', 'tasks.heldOut=rows.jsonl'),
    );
    expect(err).toContain('rows.jsonl');
    expect(err).toContain(
      'is missing and cannot be inferred; set `domain`; the columns are prompt, answr',
    );
  });
});
