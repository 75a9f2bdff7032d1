import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mathDomain } from '@cipo/verifier/math';
import { afterAll, expect, test } from 'vitest';
import { domain as code } from '../testing/groups.ts';
import { FileTasks } from './files.ts';

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
  new FileTasks({ train, heldOut, domain: 'math', seed: 1 }, { math, code });

test('an unreadable row is named by line and field, and the rest goes on', () => {
  const path = file('some-bad.jsonl', [
    ...rows,
    '{"id":',
    JSON.stringify({ id: 'q', prompt: 'x' }),
    '',
    '7',
  ]);
  const tasks = open(path);
  expect(tasks.problems.map((p) => p.slice(path.length))).toEqual([
    expect.stringMatching(/^:61: not JSON/),
    expect.stringMatching(/^:62: answer/),
    expect.stringMatching(/^:64: /),
  ]);
  expect(tasks.train(1, 8, 0)).toHaveLength(8);
});

test('an unknown domain is refused with those there are', () => {
  const tasks = open(
    file('domain.jsonl', [...rows, JSON.stringify({ domain: 'poetry', prompt: 'x', answer: '1' })]),
  );
  expect(tasks.problems[0]).toMatch(/domain: must be one of math, code, received "poetry"/);
});

test('an epoch shows every training row once before any comes again', () => {
  const tasks = open(file('train.jsonl', rows), file('held.jsonl', rows.slice(0, 5)));
  const ids = [1, 2, 3].flatMap((step) => tasks.train(step, 20, 0).map((t) => t.task.id));
  expect(new Set(ids).size).toBe(60);
});

test('without a held-out file one row in ten is kept back and never trained on', () => {
  const tasks = open(file('split.jsonl', rows));
  const held = new Set(tasks.heldOut(60).map((t) => t.task.id));
  expect(held.size).toBeGreaterThan(0);
  const trained = Array.from({ length: 12 }, (_, i) => tasks.train(i + 1, 10, 0)).flat();
  expect(trained.filter((t) => held.has(t.task.id))).toEqual([]);
});

test('a file without any readable row is an error', () => {
  expect(() => open(file('empty.jsonl', ['']))).toThrow(/no readable row/);
});
