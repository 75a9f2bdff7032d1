import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explain, UserError } from '../errors.ts';
import { linkLatest, newRunFolder, resumableFolder, runName, stepsSaved } from './folder.ts';
import { listenForInterrupt } from './interrupt.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cipo-run-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('interrupt', () => {
  function setUp() {
    const source = new EventEmitter();
    const seen: string[] = [];
    let nowMs = 0;
    const listening = listenForInterrupt(
      () => seen.push('first'),
      source,
      (code) => seen.push(`end ${code}`),
      () => nowMs,
    );
    const press = (name: string, atMs: number) => {
      nowMs = atMs;
      source.emit(name);
    };
    return { source, seen, listening, press };
  }

  test('the first signal asks, the second ends with 130', () => {
    const { seen, listening, press } = setUp();
    press('SIGINT', 1000);
    expect(listening.signal.aborted).toBe(true);
    press('SIGINT', 5000);
    expect(seen).toEqual(['first', 'end 130']);
  });

  test('one key press that arrives twice, from the terminal and from npm, is one', () => {
    const { seen, press } = setUp();
    press('SIGINT', 1000);
    press('SIGINT', 1020);
    press('SIGTERM', 1050);
    expect(seen).toEqual(['first']);
  });

  test('afterwards nothing is left listening', () => {
    const { source, listening } = setUp();
    listening[Symbol.dispose]();
    expect(source.listenerCount('SIGINT')).toBe(0);
  });
});

describe('run folder', () => {
  test('is named after preset, seed and time, with a number where that is taken', () => {
    const now = new Date(2026, 10, 3, 4, 5);
    expect(runName('grpo', 7, now, () => false)).toBe('grpo-s7-20261103-0405');
    const taken = new Set(['grpo-s7-20261103-0405', 'grpo-s7-20261103-0405-2']);
    expect(runName('grpo', 7, now, (name) => taken.has(name))).toBe('grpo-s7-20261103-0405-3');
  });

  test('never overwrites a run', () => {
    const full = join(folder, 'full');
    mkdirSync(full);
    expect(newRunFolder(full, 'cipo', 1)).toBe(full);
    writeFileSync(join(full, 'config.json'), '{}');
    expect(() => newRunFolder(full, 'cipo', 1)).toThrow(`already holds a run`);
    expect(() => newRunFolder(join(full, 'config.json'), 'cipo', 1)).toThrow('is a file');
  });

  test('can be resumed only from a whole checkpoint, and says what is missing', () => {
    const run = join(folder, 'resumable');
    expect(() => resumableFolder(run)).toThrow('does not exist');
    mkdirSync(join(run, 'checkpoints'), { recursive: true });
    expect(() => resumableFolder(run)).toThrow('no config.json');
    writeFileSync(join(run, 'config.json'), '{}');
    mkdirSync(join(run, 'checkpoints', 'step-20.new'));
    expect(() => resumableFolder(run)).toThrow('no checkpoint');
    for (const step of [100, 20]) mkdirSync(join(run, 'checkpoints', `step-${step}`));
    expect(resumableFolder(run)).toBe(run);
    // A link is resolved: `latest` must never come to point at itself.
    symlinkSync('resumable', join(folder, 'link'));
    expect(resumableFolder(join(folder, 'link'))).toBe(run);
    expect(stepsSaved(run)).toEqual([20, 100]);
  });

  test('latest moves to the newest run, and no link is made outside a runs folder', async () => {
    for (const name of ['a', 'b']) {
      const run = join(folder, 'runs', name);
      mkdirSync(run, { recursive: true });
      await linkLatest(run);
    }
    expect(readlinkSync(join(folder, 'runs', 'latest'))).toBe('b');
    await linkLatest(join(folder, 'full'));
    expect(() => readlinkSync(join(folder, 'latest'))).toThrow();
  });
});

describe('failures', () => {
  const system = (code: string) =>
    Object.assign(new Error(`${code}: raw`), { code, path: '/data/x' });

  test('a full disk says so, wherever in the chain of causes it stands', () => {
    const { message, expected } = explain(new Error('cannot save', { cause: system('ENOSPC') }));
    expect(message).toContain('The disk is full at /data/x.');
    expect(expected).toBe(true);
  });

  test('a missing file is named by whoever knows what it was for', () => {
    const wrapped = new Error('no policy in x', { cause: system('ENOENT') });
    expect(explain(wrapped)).toMatchObject({ message: 'no policy in x', expected: true });
    expect(explain(system('ENOENT')).message).toBe('There is nothing at /data/x.');
  });

  test('a message of ours is kept as it is, an unknown failure offers its stack', () => {
    expect(explain(new UserError('no such preset', 2))).toEqual({
      message: 'no such preset',
      exitCode: 2,
      expected: true,
    });
    expect(explain(new TypeError('x is not a function')).expected).toBe(false);
  });
});
