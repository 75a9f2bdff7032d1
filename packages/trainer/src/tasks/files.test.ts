import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { domainsOf } from '@cipo/verifier/domains';
import { mathDomain } from '@cipo/verifier/math';
import { afterAll, expect, test } from 'vitest';
import { domain as code } from '../testing/groups.ts';
import { openFileTasks } from './files.ts';

const directory = mkdtempSync(join(tmpdir(), 'cipo-tasks-'));
const math = mathDomain();
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await math.close?.();
});

function file(name: string, lines: readonly string[]): string {
  const path = join(directory, name);
  writeFileSync(path, lines.join('\n'));
  return path;
}

const rows = Array.from({ length: 60 }, (_, i) =>
  JSON.stringify({ id: `r${i}`, prompt: `${i} + 1?`, answer: `${i + 1}` }),
);
const open = (train: string, heldOut?: string) =>
  openFileTasks({ train, heldOut, seed: 1 }, domainsOf([math, code]));

test('a row that cannot be read gives a warning with its line and field, and the other rows are used', async () => {
  const path = file('some-bad.jsonl', [
    ...rows,
    '{"id":',
    JSON.stringify({ id: 'p', answer: '1' }),
    JSON.stringify({ id: 'q', prompt: 'x' }),
    '',
    '7',
  ]);
  const tasks = await open(path);
  expect(tasks.warnings.map((p) => p.slice(path.length))).toEqual([
    expect.stringMatching(/^:61: row: expected JSON/),
    expect.stringMatching(/^:62: prompt: is missing/),
    expect.stringMatching(/^:63: domain: is missing/),
    expect.stringMatching(/^:65: row: expected an object/),
  ]);
  expect(tasks.train(1, 8, 0)).toHaveLength(8);
});

test('a row with an unknown domain gives a warning with the known domains', async () => {
  const tasks = await open(
    file('domain.jsonl', [...rows, JSON.stringify({ domain: 'poetry', prompt: 'x', answer: '1' })]),
  );
  expect(tasks.warnings[0]).toMatch(/domain: expected one of math, spelled, received "poetry"/);
});

test('an epoch has every training row once', async () => {
  const tasks = await open(file('train.jsonl', rows), file('held.jsonl', rows.slice(0, 5)));
  const ids = [1, 2, 3].flatMap((step) => tasks.train(step, 20, 0).map((t) => t.task.id));
  expect(new Set(ids).size).toBe(60);
});

test('without a held-out file about one row in ten is held out and never used for training', async () => {
  const tasks = await open(file('split.jsonl', rows));
  const held = new Set(tasks.heldOut(60).map((t) => t.task.id));
  expect(held.size).toBeGreaterThan(0);
  const trained = Array.from({ length: 12 }, (_, i) => tasks.train(i + 1, 10, 0)).flat();
  expect(trained.filter((t) => held.has(t.task.id))).toEqual([]);
});

test('a file without a readable row is refused', async () => {
  await expect(open(file('empty.jsonl', ['']))).rejects.toThrow(/no readable row/);
});

test('compressed files with the columns of verl are read', async () => {
  const verl = rows.map((_, i) => ({
    data_source: 'sums',
    prompt: [{ role: 'user', content: `${i} + 1?` }],
    reward_model: { style: 'rule', ground_truth: `${i + 1}` },
    extra_info: { split: 'train', index: i },
  }));
  const path = join(directory, 'verl.jsonl.gz');
  writeFileSync(path, gzipSync(verl.map((row) => JSON.stringify(row)).join('\n')));
  const tasks = await open(path);
  expect(tasks.warnings).toEqual([]);
  const { task } = tasks.train(1, 1, 0)[0]!;
  expect(task.id).toMatch(/^sums\/train\/\d+$/);
  expect(task.reference).toMatchObject({ answer: `${Number(task.id.split('/')[2]) + 1}` });
});
