import { EventEmitter } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '@cipo/engine';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainError, UserError } from '../errors.ts';
import {
  chooseRunFolder,
  claimRunFolder,
  discardEmptyRun,
  linkLatest,
  listSavedSteps,
  nameRun,
  requireResumable,
} from './folder.ts';
import { listenForInterrupt } from './interrupt.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cipo-run-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('listenForInterrupt', () => {
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

  test('the first signal requests a stop and the second ends the process with 130', () => {
    const { seen, listening, press } = setUp();
    press('SIGINT', 1000);
    expect(listening.signal.aborted).toBe(true);
    press('SIGINT', 5000);
    expect(seen).toEqual(['first', 'end 130']);
  });

  test('a key press that arrives twice, from the terminal and from npm, counts once', () => {
    const { seen, press } = setUp();
    press('SIGINT', 1000);
    press('SIGINT', 1020);
    press('SIGTERM', 1050);
    expect(seen).toEqual(['first']);
  });

  test('a disposed interrupt leaves no listener', () => {
    const { source, listening } = setUp();
    listening[Symbol.dispose]();
    expect(source.listenerCount('SIGINT')).toBe(0);
  });
});

describe('run folder', () => {
  test('a run is named after preset, seed and time, with a number if the name is taken', () => {
    const now = new Date(2026, 10, 3, 4, 5);
    expect(nameRun('grpo', 7, now, () => false)).toBe('grpo-s7-20261103-0405');
    const taken = new Set(['grpo-s7-20261103-0405', 'grpo-s7-20261103-0405-2']);
    expect(nameRun('grpo', 7, now, (name) => taken.has(name))).toBe('grpo-s7-20261103-0405-3');
  });

  test('a new run never overwrites another run or a file', () => {
    const full = join(folder, 'full');
    mkdirSync(full);
    expect(chooseRunFolder(full, 'cipo', 1)).toBe(full);
    writeFileSync(join(full, 'config.json'), '{}');
    expect(() => chooseRunFolder(full, 'cipo', 1)).toThrow('already contains a run');
    expect(() => chooseRunFolder(join(full, 'config.json'), 'cipo', 1)).toThrow(
      'expected a folder, got the file',
    );
  });

  test('only the command that created the folder of a run owns it', () => {
    const run = join(folder, 'claimed', 'run');
    expect(claimRunFolder(run)).toBe(true);
    expect(claimRunFolder(run)).toBe(false);
    const isTaken = (name: string) => existsSync(join(folder, name));
    const now = new Date(2026, 10, 3, 4, 5);
    expect(claimRunFolder(join(folder, nameRun('cipo', 1, now, isTaken)))).toBe(true);
    expect(nameRun('cipo', 1, now, isTaken)).toBe('cipo-s1-20261103-0405-2');
  });

  test('a run can be resumed only from a complete checkpoint, and the error names what is missing', () => {
    const run = join(folder, 'resumable');
    expect(() => requireResumable(run)).toThrow('does not exist');
    mkdirSync(join(run, 'checkpoints'), { recursive: true });
    expect(() => requireResumable(run)).toThrow('it has no config.json');
    writeFileSync(join(run, 'config.json'), '{}');
    mkdirSync(join(run, 'checkpoints', 'step-20.new'));
    expect(() => requireResumable(run)).toThrow('no checkpoint');
    for (const step of [100, 20]) mkdirSync(join(run, 'checkpoints', `step-${step}`));
    expect(requireResumable(run)).toBe(run);
    // Links are resolved: `latest` must never point to itself.
    symlinkSync('resumable', join(folder, 'link'));
    expect(requireResumable(join(folder, 'link'))).toBe(run);
    expect(listSavedSteps(run)).toEqual([20, 100]);
  });

  test('latest points to the newest run, and no link is created outside a runs folder', async () => {
    for (const name of ['a', 'b']) {
      const run = join(folder, 'runs', name);
      mkdirSync(run, { recursive: true });
      await linkLatest(run);
    }
    expect(readlinkSync(join(folder, 'runs', 'latest'))).toBe('b');
    await linkLatest(join(folder, 'full'));
    expect(() => readlinkSync(join(folder, 'latest'))).toThrow();
  });

  test('a run that failed before its first evaluation is removed, any other is kept', async () => {
    const start = ['config.json', 'environment.json', 'metrics.jsonl', 'samples.jsonl'];
    const runWith = (name: string, ...files: string[]) => {
      const run = join(folder, name);
      mkdirSync(join(run, 'checkpoints'), { recursive: true });
      for (const file of files) writeFileSync(join(run, file), file.endsWith('.jsonl') ? '' : '{}');
      return run;
    };
    const failed = runWith('failed', ...start);
    await discardEmptyRun(failed);
    await discardEmptyRun(join(folder, 'never-created'));
    expect(existsSync(failed)).toBe(false);

    const other = runWith('other', ...start, 'notes.txt');
    const measured = runWith('measured', ...start);
    writeFileSync(join(measured, 'metrics.jsonl'), '{"step":1}\n');
    for (const run of [other, measured]) {
      await discardEmptyRun(run);
      expect(existsSync(run)).toBe(true);
    }
  });
});

describe('explainError', () => {
  const system = (code: string) =>
    Object.assign(new Error(`${code}: raw`), { code, path: '/data/x' });

  test('a full disk is reported even if another error wraps it', () => {
    const { message, expected } = explainError(
      new Error('cannot save', { cause: system('ENOSPC') }),
    );
    expect(message).toContain('The disk is full at /data/x.');
    expect(expected).toBe(true);
  });

  test('a full disk is reported even if an error with a code of another kind wraps it', () => {
    const wrapped = Object.assign(new Error('x: cannot be written', { cause: system('ENOSPC') }), {
      code: 'file',
    });
    expect(explainError(wrapped).message).toContain('The disk is full at /data/x.');
  });

  test('an error that wraps a missing file keeps its own message', () => {
    const wrapped = new Error('no policy in x', { cause: system('ENOENT') });
    expect(explainError(wrapped)).toMatchObject({ message: 'no policy in x', expected: true });
    expect(explainError(system('ENOENT')).message).toBe('There is no file or folder at /data/x.');
  });

  test('the message of a UserError is unchanged, and an unknown failure offers its stack', () => {
    expect(explainError(new UserError('no such preset', 2))).toEqual({
      message: 'no such preset',
      exitCode: 2,
      expected: true,
    });
    expect(explainError(new TypeError('x is not a function')).expected).toBe(false);
    expect(explainError(new EngineError('internal', 'no buffer for "x"')).expected).toBe(false);
    expect(explainError(new EngineError('file', 'x: truncated')).expected).toBe(true);
  });
});
