import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { trainConfig } from '../config.ts';
import type { Evaluation } from '../events.ts';
import { RunFolder, type RunState } from './folder.ts';

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'cipo-run-'));
});
afterEach(() => rm(path, { recursive: true }));

const unknown = { mean: 0, low: 0, high: 0, n: 0 };
const quality = { passAt1: unknown, passAtK: unknown, fixRate: unknown, retention: unknown };
const before: Evaluation = { ...quality, k: 8, perKind: {}, voided: 0, generatedTokens: 0 };
const state = (step: number): RunState => ({
  step,
  replay: { rho: 0.3, below: 0 },
  generatedTokens: 10 * step,
  wallSeconds: step,
  before,
  best: null,
  recentRewards: [0.5],
});
const save = (directory: string) => writeFile(join(directory, 'model'), 'weights');

async function createFolder(): Promise<RunFolder> {
  const folder = new RunFolder(path);
  await folder.create(trainConfig.parse({}));
  return folder;
}

test('latestCheckpoint gives the newest checkpoint with its state', async () => {
  const folder = await createFolder();
  for (const step of [2, 10]) await folder.saveCheckpoint(`step-${step}`, state(step), save);
  const { directory, state: found } = await folder.latestCheckpoint();
  expect(found).toEqual(state(10));
  expect(await readFile(join(directory, 'model'), 'utf8')).toBe('weights');
});

test('a failed save leaves the previous checkpoint complete', async () => {
  const folder = await createFolder();
  await folder.saveCheckpoint('step-1', state(1), save);
  const full = async () => {
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  };
  await expect(folder.saveCheckpoint('step-2', state(2), full)).rejects.toThrow('no space left');
  expect((await folder.latestCheckpoint()).state.step).toBe(1);
});

test('pruning removes old checkpoints and keeps the best and the newest ones', async () => {
  const folder = await createFolder();
  for (const step of [1, 2, 3]) await folder.saveCheckpoint(`step-${step}`, state(step), save);
  await folder.saveCheckpoint('best', state(1), save);
  await folder.pruneCheckpoints(2);
  expect((await readdir(join(path, 'checkpoints'))).sort()).toEqual(['best', 'step-2', 'step-3']);
});

test('discardAfter removes the rows of later steps and an incomplete row', async () => {
  const folder = await createFolder();
  for (const step of [1, 2, 3]) await folder.appendMetrics(step, { reward: step });
  await writeFile(join(path, 'metrics.jsonl'), '{"step":4,"rew', { flag: 'a' });
  await folder.discardAfter(2);
  expect(await readFile(join(path, 'metrics.jsonl'), 'utf8')).toBe(
    '{"step":1,"reward":1}\n{"step":2,"reward":2}\n',
  );
});

test('a folder without a checkpoint, or without a run, is refused with the reason', async () => {
  await expect((await createFolder()).latestCheckpoint()).rejects.toThrow(/nothing to resume/);
  await expect(new RunFolder(join(path, 'nowhere')).latestCheckpoint()).rejects.toThrow(
    /no run in/,
  );
});
